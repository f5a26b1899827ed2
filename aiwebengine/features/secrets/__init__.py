"""
`secrets`: passwords and keys that scripts use by name, and never see.

    feature.py       what the feature is
    declarations.py  what scripts see, and the capability `secret:NAME`
    calls.py         the host calls: has, ref, key
    names.py         names of secrets
    grants.py        which secrets a script may use, and for which hosts
    values.py        one secret
    book.py          all secrets that there are, by precedence of their sources
    requests/        secrets in requests that scripts send
    redaction.py     values of secrets in what scripts say, in whatever form
    script_redactions.py  which secrets are taken out of what each script says
    sources/         where secrets come from: environment, files, the encrypted file, Vault
    commands.py      `aiwebengine secrets`; api.py what it and a console ask
    secrets.js       `secrets.key` and `secrets.basic`
"""
