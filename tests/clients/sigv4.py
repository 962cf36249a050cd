"""Requests signed by hand, so that tests can send what no SDK would."""

import datetime
import hashlib
import hmac
import urllib.parse

import ashlar

EMPTY = hashlib.sha256(b"").hexdigest()


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signing_key(secret, date):
    key = _hmac(b"AWS4" + secret.encode(), date)
    for word in (ashlar.REGION, "s3", "aws4_request"):
        key = _hmac(key, word)
    return key


def request(server, method, path, query="", body=b"", headers=None, *, when=None,
            access=ashlar.ACCESS_KEY, secret=ashlar.SECRET_KEY, payload=None):
    """The bytes of a signed request. `path` is sent as it is; `query` is already canonical."""
    when = when or datetime.datetime.now(datetime.timezone.utc)
    stamp = when.strftime("%Y%m%dT%H%M%SZ")
    signed = {"host": server.host, "x-amz-date": stamp,
              "x-amz-content-sha256": payload or hashlib.sha256(body).hexdigest()}
    signed.update({name.lower(): value for name, value in (headers or {}).items()})
    names = ";".join(sorted(signed))
    canonical = "\n".join([method, path, query,
                           "".join(f"{n}:{signed[n].strip()}\n" for n in sorted(signed)), names,
                           signed["x-amz-content-sha256"]])
    scope = f"{stamp[:8]}/{ashlar.REGION}/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope,
                      hashlib.sha256(canonical.encode()).hexdigest()])
    signature = _hmac(signing_key(secret, stamp[:8]), text).hex()
    signed["authorization"] = (f"AWS4-HMAC-SHA256 Credential={access}/{scope}, "
                               f"SignedHeaders={names}, Signature={signature}")
    signed.setdefault("content-length", str(len(body)))
    target = path + ("?" + query if query else "")
    lines = [f"{method} {target} HTTP/1.1"] + [f"{n}: {v}" for n, v in signed.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def chunked(server, method, path, chunks, *, trailer=None, break_chunk=None, decoded=None):
    """An aws-chunked request, each chunk signed. `break_chunk` gets a wrong signature."""
    payload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" + ("-TRAILER" if trailer else "")
    when = datetime.datetime.now(datetime.timezone.utc)
    stamp = when.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/{ashlar.REGION}/s3/aws4_request"
    key = signing_key(ashlar.SECRET_KEY, stamp[:8])
    length = sum(map(len, chunks)) if decoded is None else decoded

    def sealed(kind, previous, *digests):
        return _hmac(key, "\n".join([kind, stamp, scope, previous, *digests])).hex()

    def body_after(seed):
        previous, out = seed, b""
        for number, chunk in enumerate([*chunks, b""]):
            signature = sealed("AWS4-HMAC-SHA256-PAYLOAD", previous, EMPTY,
                               hashlib.sha256(chunk).hexdigest())
            previous = signature
            if number == break_chunk:
                signature = "0" * 64
            out += f"{len(chunk):x};chunk-signature={signature}\r\n".encode() + chunk
            out += b"\r\n" if chunk or not trailer else b""
        if trailer:
            digest = hashlib.sha256(f"{trailer[0]}:{trailer[1]}\n".encode()).hexdigest()
            signature = sealed("AWS4-HMAC-SHA256-TRAILER", previous, digest)
            out += (f"{trailer[0]}:{trailer[1]}\r\n"
                    f"x-amz-trailer-signature:{signature}\r\n\r\n").encode()
        return out

    size = len(body_after("0" * 64))
    headers = {"x-amz-decoded-content-length": str(length), "content-encoding": "aws-chunked",
               "content-length": str(size)}
    if trailer:
        headers["x-amz-trailer"] = trailer[0]
    head = request(server, method, path, headers=headers, when=when, payload=payload)
    seed = head.split(b"Signature=")[1].split(b"\r\n")[0].decode()
    return head + body_after(seed)


def quoted(text):
    return urllib.parse.quote(text, safe="-_.~")
