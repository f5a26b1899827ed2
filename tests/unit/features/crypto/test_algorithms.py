"""Known answers: vectors of the standards that define the algorithms."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from unittest import TestCase

from aiwebengine.features.crypto.algorithms import derivation, elliptic, rsa
from aiwebengine.features.crypto.algorithms.aes import AesCbc, AesCtr, AesGcm, AesKw
from aiwebengine.features.crypto.algorithms.algorithm import Algorithm
from aiwebengine.features.crypto.algorithms.derivation import Hkdf, Pbkdf2, first_bits
from aiwebengine.features.crypto.algorithms.edwards import X25519, Ed25519
from aiwebengine.features.crypto.algorithms.elliptic import Ecdh, Ecdsa
from aiwebengine.features.crypto.algorithms.hashes import digest, hash_named
from aiwebengine.features.crypto.algorithms.mac import Hmac
from aiwebengine.features.crypto.algorithms.rsa import RsaPkcs1
from aiwebengine.features.crypto.declarations import SUBTLE
from aiwebengine.features.crypto.keys import Key, SealedKeys
from aiwebengine.features.crypto.operations import Operations
from aiwebengine.features.crypto.refusals import Refusal, RequestFields
from aiwebengine.features.crypto.settings import CryptoSettings

LIMITS = CryptoSettings()
PKCS8_X25519 = bytes.fromhex("302e020100300506032b656e04220420")


def given(**members: Any) -> RequestFields:
    """Return the parameters of an algorithm, bytes as they are sent."""
    sent = {name: b64encode(value).decode() if isinstance(value, bytes) else value for name, value in members.items()}
    return RequestFields(sent, what="algorithm")


def raw(algorithm: Algorithm, material: str, *usages: str, **members: Any) -> Key:
    """Import a secret or public key."""
    return algorithm.import_key("raw", bytes.fromhex(material), given(**members), extractable=True, usages=usages)


def sha(number: int) -> Mapping[str, str]:
    """Return a hash as an algorithm has it."""
    return {"name": f"SHA-{number}"}


class KnownAnswerTests(TestCase):
    def test_sha(self) -> None:
        """FIPS 180-4: the hash of "abc"; a large input is hashed in slices."""
        self.assertEqual(digest(hash_named("SHA-1"), b"abc").hex(), "a9993e364706816aba3e25717850c26c9cd0d89d")
        wanted = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        self.assertEqual(digest(hash_named("SHA-256"), b"abc").hex(), wanted)
        million = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        self.assertEqual(digest(hash_named("SHA-256"), b"a" * 1_000_000).hex(), million)
        with self.assertRaises(Refusal):
            hash_named("MD5")

    def test_hmac(self) -> None:
        """RFC 4231, test case 1."""
        hmac = Hmac("HMAC", LIMITS)
        key = raw(hmac, "0b" * 20, "sign", hash=sha(256))
        wanted = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        self.assertEqual(hmac.sign(key, given(), b"Hi There").hex(), wanted)
        self.assertTrue(hmac.verify(key, given(), bytes.fromhex(wanted), b"Hi There"))
        self.assertFalse(hmac.verify(key, given(), bytes.fromhex(wanted)[1:], b"Hi There"))

    def test_aes(self) -> None:
        """SP 800-38A F.2.1 and F.5.1, the fourth case of GCM's authors, RFC 3394 4.1."""
        plain = bytes.fromhex("6bc1bee22e409f96e93d7e117393172a")
        key = "2b7e151628aed2a6abf7158809cf4f3c"
        cbc, ctr, gcm, kw = (
            kind(name, LIMITS)
            for kind, name in ((AesCbc, "AES-CBC"), (AesCtr, "AES-CTR"), (AesGcm, "AES-GCM"), (AesKw, "AES-KW"))
        )
        sealed = cbc.encrypt(raw(cbc, key, "encrypt"), given(iv=bytes(range(16))), plain)
        self.assertEqual(sealed[:16].hex(), "7649abac8119b246cee98e9b12e9197d")
        counter = given(counter=bytes.fromhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"), length=128)
        sealed = ctr.encrypt(raw(ctr, key, "encrypt"), counter, plain)
        self.assertEqual(sealed.hex(), "874d6191b620e3261bef6864990db6ce")
        gcm_key = raw(gcm, "00" * 16, "encrypt", "decrypt")
        sealed = gcm.encrypt(gcm_key, given(iv=bytes(12)), bytes(16))
        self.assertEqual(sealed.hex(), "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf")
        self.assertEqual(gcm.decrypt(gcm_key, given(iv=bytes(12)), sealed), bytes(16))
        kek = raw(kw, "000102030405060708090a0b0c0d0e0f", "wrapKey", "unwrapKey")
        wrapped = kw.wrap(kek, given(), bytes.fromhex("00112233445566778899aabbccddeeff"))
        self.assertEqual(wrapped.hex(), "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5")

    def test_counter_turns(self) -> None:
        """When the counted bits of AES-CTR are all ones the next block has zeros there, and the rest stays."""
        ctr = AesCtr("AES-CTR", LIMITS)
        key = raw(ctr, "00" * 16, "encrypt")
        before, after = bytes(15) + b"\xff", bytes(16)
        both = ctr.encrypt(key, given(counter=before, length=8), bytes(32))
        one = [ctr.encrypt(key, given(counter=counter, length=128), bytes(16)) for counter in (before, after)]
        self.assertEqual(both, b"".join(one))

    def test_derivation(self) -> None:
        """RFC 6070 and RFC 5869."""
        pbkdf2, hkdf = Pbkdf2("PBKDF2", LIMITS), Hkdf("HKDF", LIMITS)
        password = pbkdf2.import_key("raw", b"password", given(), extractable=False, usages=("deriveBits",))
        parameters = given(hash=sha(1), salt=b"salt", iterations=4096)
        derived = pbkdf2.derive(password, parameters, 160, None)
        self.assertEqual(derived.hex(), "4b007901b765489abead49d926f721d065a429c1")
        base = hkdf.import_key("raw", b"\x0b" * 22, given(), extractable=False, usages=("deriveBits",))
        parameters = given(hash=sha(256), salt=bytes(range(13)), info=bytes(range(0xF0, 0xFA)))
        wanted = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        self.assertEqual(hkdf.derive(base, parameters, 336, None).hex(), wanted)
        self.assertEqual(first_bits(b"\xff\xff", 11), b"\xff\xe0")
        self.assertIs(derivation.Pbkdf2, Pbkdf2)

    def test_ed25519(self) -> None:
        """RFC 8032, 7.1, test 1."""
        ed25519 = Ed25519("Ed25519", LIMITS)
        jwk = {
            "kty": "OKP",
            "crv": "Ed25519",
            "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        }
        key = ed25519.import_key("jwk", jwk, given(), extractable=True, usages=("sign",))
        signature = ed25519.sign(key, given(), b"")
        self.assertEqual(signature.hex()[:32], "e5564300c360ac729086e2cc806e828a")
        public = raw(ed25519, "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "verify")
        self.assertTrue(ed25519.verify(public, given(), signature, b""))
        self.assertFalse(ed25519.verify(public, given(), signature, b"a"))

    def test_x25519(self) -> None:
        """RFC 7748, 6.1."""
        x25519 = X25519("X25519", LIMITS)
        der = PKCS8_X25519 + bytes.fromhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
        bob = x25519.import_key("pkcs8", der, given(), extractable=True, usages=("deriveBits",))
        alice = raw(x25519, "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")
        wanted = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"
        self.assertEqual(x25519.derive(bob, given(), 256, alice).hex(), wanted)

    def test_ecdsa(self) -> None:
        """RFC 6979, A.2.5: a signature of "sample" with SHA-256 is verified; one of another text is not."""
        ecdsa = Ecdsa("ECDSA", LIMITS)
        point = (
            "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
            "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
        )
        signature = bytes.fromhex(
            "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
            "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
        )
        key = raw(ecdsa, point, "verify", namedCurve="P-256")
        with_hash = given(hash=sha(256))
        self.assertTrue(ecdsa.verify(key, with_hash, signature, b"sample"))
        self.assertFalse(ecdsa.verify(key, with_hash, signature, b"simple"))
        self.assertFalse(ecdsa.verify(key, with_hash, signature[1:], b"sample"))
        self.assertEqual({one.name for one in elliptic.make(LIMITS)}, {"ECDSA", "ECDH"})

    def test_ecdh(self) -> None:
        """Both sides derive the same; other curves and other halves are refused."""
        ecdh = Ecdh("ECDH", LIMITS)
        pairs = [ecdh.generate(given(namedCurve="P-384"), extractable=True, usages=("deriveBits",)) for _ in range(2)]
        (public, private), (other_public, other_private) = pairs
        first = ecdh.derive(private, given(), None, other_public)
        self.assertEqual((len(first), ecdh.derive(other_private, given(), None, public)), (48, first))
        for key, partner in ((private, other_private), (public, other_public), (private, None)):
            with self.assertRaises(Refusal):
                ecdh.derive(key, given(), None, partner)

    def test_rsa(self) -> None:
        """What is signed is verified with the public key in each format; a key whose numbers do not fit is refused."""
        algorithm = RsaPkcs1("RSASSA-PKCS1-v1_5", LIMITS)
        parameters = given(modulusLength=1024, publicExponent=b"\1\0\1", hash=sha(256))
        public, private = algorithm.generate(parameters, extractable=True, usages=("sign", "verify"))
        signature = algorithm.sign(private, given(), b"text")
        for form in ("spki", "jwk"):
            exported = algorithm.export_key(form, public)
            again = algorithm.import_key(form, exported, given(hash=sha(256)), extractable=True, usages=("verify",))
            self.assertTrue(algorithm.verify(again, given(), signature, b"text"))
            self.assertFalse(algorithm.verify(again, given(), signature, b"test"))
        jwk = algorithm.export_key("jwk", private)
        assert not isinstance(jwk, bytes)
        for name in ("d", "p", "q", "dp", "dq", "qi"):
            for wrong in ("AQAB", jwk["n"], "AA"):
                changed = {**jwk, name: wrong}
                with self.assertRaises(Refusal) as refused:
                    algorithm.import_key("jwk", changed, given(hash=sha(256)), extractable=True, usages=("sign",))
                self.assertEqual(refused.exception.exception, "DataError")
        self.assertEqual([one.name for one in rsa.make(LIMITS)], ["RSASSA-PKCS1-v1_5", "RSA-PSS", "RSA-OAEP"])

    def test_huge_numbers(self) -> None:
        """The numbers of an RSA key are bounded before anything is computed with them."""
        algorithm = RsaPkcs1("RSASSA-PKCS1-v1_5", LIMITS)
        huge = "_" * 400_000
        for jwk in ({"n": huge, "e": "AQAB"}, {"n": huge, "e": huge, "d": huge, "p": huge, "q": huge}):
            with self.assertRaises(Refusal) as refused:
                algorithm.import_key("jwk", {"kty": "RSA", **jwk}, given(hash=sha(256)), extractable=True, usages=())
            self.assertIn(refused.exception.exception, {"OperationError", "SyntaxError"})


class OperationTests(TestCase):
    def test_all(self) -> None:
        """Each declared operation exists, and one that an algorithm lacks is refused by name."""
        operations = Operations(keys=SealedKeys(secret=bytes(32), entropy=bytes), limits=LIMITS)
        for operation in SUBTLE:
            with self.assertRaises(Refusal):
                operations.run(operation, "script", {"algorithm": {"name": "none"}})
        with self.assertRaises(Refusal) as refused:
            operations.run(
                "generate", "script", {"algorithm": {"name": "HKDF"}, "extractable": False, "usages": ["deriveBits"]}
            )
        self.assertEqual(refused.exception.public, "HKDF cannot generate keys.")
