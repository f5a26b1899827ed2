"""
Code that scripts make while they run: `new Function` and `eval`.

The build worker lowers it as it lowers what is deployed, and the script's own process runs it, with the same
permissions as the script.
"""
