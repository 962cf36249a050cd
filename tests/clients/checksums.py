"""S3's five checksums in plain Python, so that tests do not lean on an SDK's optional parts."""

import base64
import hashlib
import zlib


def _reflected(polynomial, width):
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (polynomial if value & 1 else 0)
        table.append(value)
    ones = (1 << width) - 1

    def crc(data):
        value = ones
        for byte in data:
            value = value >> 8 ^ table[(value ^ byte) & 0xFF]
        return value ^ ones

    return crc


_crc32c = _reflected(0x82F63B78, 32)
_crc64nvme = _reflected(0x9A6C9329AC4BC9B5, 64)

DIGESTS = {
    "CRC32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
    "CRC32C": lambda data: _crc32c(data).to_bytes(4, "big"),
    "CRC64NVME": lambda data: _crc64nvme(data).to_bytes(8, "big"),
    "SHA1": lambda data: hashlib.sha1(data).digest(),
    "SHA256": lambda data: hashlib.sha256(data).digest(),
}


def checksum(algorithm, data):
    """As S3 writes it: base64 of the big-endian value."""
    return base64.b64encode(DIGESTS[algorithm](data)).decode()


assert _crc32c(b"123456789") == 0xE3069283
assert _crc64nvme(b"123456789") == 0xAE8B14860A799888
