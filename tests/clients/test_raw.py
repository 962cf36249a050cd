"""What no SDK sends: wrong signatures, hostile XML, broken bodies, odd connections."""

import contextlib
import datetime
import os
import re
import socket
import unittest

import ashlar
import sigv4
from checksums import checksum

MINUTE = datetime.timedelta(minutes=1)


class RawCase(ashlar.TestCase):
    def exchange(self, data, head=False):
        """(status, S3 error code or None, body) of one request on a fresh connection."""
        with ashlar.Raw(self.server) as raw:
            raw.send(data)
            status, _, body = raw.answer(head)
        found = re.search(rb"<Code>(\w+)</Code>", body)
        return status, found.group(1).decode() if found else None, body

    def refused_raw(self, data, status, code):
        answer = self.exchange(data)
        self.assertEqual(answer[:2], (status, code), answer[2][:500])

    def request(self, method, key="k", **options):
        return sigv4.request(self.server, method, f"/{self.bucket}/{key}", **options)


class Signatures(RawCase):
    def test_a_good_one_by_hand_passes(self):
        self.assertEqual(self.exchange(self.request("PUT", body=b"x"))[0], 200)
        self.assertEqual(self.read("k"), b"x")

    def test_a_wrong_secret_does_not_match(self):
        self.refused_raw(self.request("PUT", body=b"x", secret="wrong"), 403,
                         "SignatureDoesNotMatch")
        self.assertEqual(self.keys(), [])

    def test_an_unknown_access_key_is_named(self):
        self.refused_raw(self.request("PUT", body=b"x", access="NOBODY"), 403,
                         "InvalidAccessKeyId")

    def test_none_at_all_is_denied(self):
        for method in ("GET", "PUT", "DELETE"):
            self.refused_raw(f"{method} /{self.bucket}/k HTTP/1.1\r\nHost: {self.server.host}\r\n"
                             "Content-Length: 0\r\n\r\n".encode(), 403, "AccessDenied")

    def test_a_clock_may_be_15_minutes_off_and_no_more(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        for minutes in (-14, 14):
            self.assertEqual(self.exchange(self.request("PUT", body=b"x",
                                                        when=now + minutes * MINUTE))[0], 200)
        for minutes in (-16, 16, -60 * 24 * 400):
            self.refused_raw(self.request("PUT", "late", body=b"x", when=now + minutes * MINUTE),
                             403, "RequestTimeTooSkewed")
        self.assertEqual(self.keys(), ["k"])

    def test_a_body_that_is_not_the_signed_one_stores_nothing(self):
        request = self.request("PUT", body=b"signed body").replace(b"signed body", b"forged body")
        self.refused_raw(request, 400, "XAmzContentSHA256Mismatch")
        self.assertEqual(self.keys(), [])

    def test_an_unsigned_payload_is_taken(self):
        self.assertEqual(self.exchange(self.request("PUT", body=b"x",
                                                    payload="UNSIGNED-PAYLOAD"))[0], 200)

    def test_malformed_authorization_is_an_error_of_the_client(self):
        for value in ("", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=a/b/c",
                      "Basic dXNlcjpwYXNz", "AWS4-HMAC-SHA256 " + "x" * 4000,
                      "AWS4-HMAC-SHA256 Credential=,SignedHeaders=,Signature="):
            with self.subTest(value[:40]):
                status = self.exchange(
                    f"GET /{self.bucket}/k HTTP/1.1\r\nHost: {self.server.host}\r\n"
                    f"Authorization: {value}\r\n\r\n".encode())[0]
                self.assertIn(status, (400, 403))


class ChunkedBodies(RawCase):
    def chunked(self, chunks, **options):
        return sigv4.chunked(self.server, "PUT", f"/{self.bucket}/k", chunks, **options)

    def test_signed_chunks_are_one_object(self):
        chunks = [ashlar.content(65536, 1), ashlar.content(65536, 2), b"tail"]
        self.assertEqual(self.exchange(self.chunked(chunks))[0], 200)
        self.assertEqual(self.read("k"), b"".join(chunks))
        self.assertNotIn("aws-chunked", self.head("k").get("ContentEncoding", ""))

    def test_a_signed_trailer_is_verified(self):
        chunks = [ashlar.content(65536), b"tail"]
        body = b"".join(chunks)
        trailer = ("x-amz-checksum-crc32c", checksum("CRC32C", body))
        self.assertEqual(self.exchange(self.chunked(chunks, trailer=trailer))[0], 200)
        headers = self.head("k", ChecksumMode="ENABLED")["ResponseMetadata"]["HTTPHeaders"]
        self.assertEqual(headers["x-amz-checksum-crc32c"], trailer[1])
        wrong = (trailer[0], checksum("CRC32C", b"other"))
        self.refused_raw(self.chunked([b"other body"], trailer=wrong), 400, "BadDigest")
        self.assertEqual(self.read("k"), body)

    def unsigned_chunks(self, chunks, trailer_names, trailer):
        """(headers, body) of an upload whose chunks nobody signed."""
        body = b"".join(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n" for chunk in chunks)
        body += f"0\r\n{trailer[0]}:{trailer[1]}\r\n\r\n".encode()
        headers = {"x-amz-decoded-content-length": str(sum(map(len, chunks))),
                   "content-encoding": "aws-chunked", "x-amz-trailer": trailer_names}
        return self.request("PUT", headers=headers, body=body,
                            payload="STREAMING-UNSIGNED-PAYLOAD-TRAILER")

    def test_a_trailer_is_verified_or_refused_however_it_is_announced(self):
        name = "x-amz-checksum-crc32"
        wrong = (name, checksum("CRC32", b"other"))
        for names in (name, name + ",", " , " + name.upper()):
            with self.subTest(names):
                self.refused_raw(self.unsigned_chunks([b"body"], names, wrong), 400, "BadDigest")
        for names in (name + ",x-amz-meta-a", "x-amz-checksum-xxhash3"):
            with self.subTest(names):
                self.refused_raw(self.unsigned_chunks([b"body"], names, wrong), 400,
                                 "InvalidRequest")
        for kind in ("md5", "sha512"):
            self.refused_raw(self.request("PUT", body=b"x",
                                          headers={f"x-amz-checksum-{kind}": "AAAA"}), 501,
                             "NotImplemented")
        self.assertEqual(self.keys(), [])

    def test_a_chunk_may_be_the_whole_body(self):
        body = ashlar.content(65 << 20)
        trailer = ("x-amz-checksum-crc32", checksum("CRC32", body))
        self.assertEqual(self.exchange(self.unsigned_chunks([body], trailer[0], trailer))[0], 200)
        self.assertEqual(self.head("k")["ContentLength"], len(body))

    def test_a_forged_chunk_stores_nothing(self):
        for number in range(3):
            self.refused_raw(self.chunked([b"a" * 8192, b"b" * 8192], break_chunk=number), 403,
                             "SignatureDoesNotMatch")
        self.assertEqual(self.keys(), [])

    def test_another_length_than_said_stores_nothing(self):
        for decoded in (1, 16385, 1 << 40):
            with self.subTest(decoded):
                status = self.exchange(self.chunked([b"a" * 16384], decoded=decoded))[0]
                self.assertEqual(status, 400)
        self.assertEqual(self.keys(), [])

    def test_nonsense_for_a_chunk_size_is_refused(self):
        for size in (b"zz", b"-5", b"ffffffffffffffffff", b"  "):
            with self.subTest(size):
                data = self.chunked([b"a" * 100]).replace(b"64;chunk-signature", size + b";chunk-"
                                                          b"signature", 1)
                self.assertIn(self.exchange(data)[0], (400, 403))
        self.assertEqual(self.keys(), [])


class Bodies(RawCase):
    def test_a_truncated_body_stores_nothing(self):
        data = self.request("PUT", body=b"x" * 100_000)
        with ashlar.Raw(self.server) as raw:
            raw.send(data[:-1])
            raw.socket.shutdown(socket.SHUT_WR)
            self.assertIn(raw.answer()[0], (None, 400))
        self.assertEqual(self.keys(), [])

    def test_a_put_without_length_is_411(self):
        data = self.request("PUT", body=b"").replace(b"content-length: 0\r\n", b"")
        self.refused_raw(data, 411, "MissingContentLength")

    def test_a_length_over_5_gib_is_too_large(self):
        for length in (str((5 << 30) + 1), str(1 << 62)):
            with self.subTest(length):
                self.refused_raw(self.request("PUT", headers={"content-length": length}), 400,
                                 "EntityTooLarge")

    def test_a_nonsense_length_is_400(self):
        for length in ("-1", "abc", "1e3", "99999999999999999999999"):
            with self.subTest(length):
                self.assertEqual(self.exchange(
                    self.request("PUT", headers={"content-length": length}))[0], 400)
        self.assertEqual(self.keys(), [])

    def test_expect_100_continue_is_answered_before_the_body(self):
        data = self.request("PUT", body=b"later", headers={"expect": "100-continue"})
        with ashlar.Raw(self.server) as raw:
            raw.send(data[:-5])
            self.assertEqual(raw.answer()[0], 100)
            raw.send(b"later")
            self.assertEqual(raw.answer()[0], 200)
        self.assertEqual(self.read("k"), b"later")

    def test_a_refused_put_needs_no_body(self):
        data = self.request("PUT", body=b"later", headers={"expect": "100-continue"},
                            secret="wrong")
        with ashlar.Raw(self.server) as raw:
            raw.send(data[:-5])
            self.assertEqual(raw.answer()[0], 403)


class Xml(RawCase):
    def delete_objects(self, body):
        return self.exchange(sigv4.request(self.server, "POST", f"/{self.bucket}", "delete=", body))

    def malformed(self, body):
        status, code, answer = self.delete_objects(body)
        self.assertEqual((status, code), (400, "MalformedXML"), answer[:300])

    def test_what_is_no_xml_is_refused(self):
        for body in (b"", b"no xml", b"<Delete>", b"<Delete><Object></Delete>", b"\xff\xfe\x00",
                     b"<Other/>", b"<Delete></Delete>"):
            with self.subTest(body):
                self.malformed(body)

    def test_a_key_is_all_of_its_text(self):
        for key in ("a", "abc", "ab"):
            self.put(key)
        status, _, _ = self.delete_objects(
            b"<Delete><Object><Key>a<!-- c -->bc</Key></Object>"
            b"<Object><Key>a<![CDATA[b]]></Key></Object></Delete>")
        self.assertEqual(status, 200)
        self.assertEqual(self.keys(), ["a"])
        for key in (b"a<b/>c", b"a&#0;b"):
            self.malformed(b"<Delete><Object><Key>" + key + b"</Key></Object></Delete>")
        self.assertEqual(self.keys(), ["a"])

    def test_an_entity_bomb_is_refused_at_once(self):
        entities = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(12))
        self.malformed(f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY e0 "boom">{entities}]>'
                       "<Delete><Object><Key>&e12;</Key></Object></Delete>".encode())

    def test_an_external_entity_is_not_read(self):
        self.put("root", b"x")
        self.malformed(b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
                       b"<Delete><Object><Key>&x;</Key></Object></Delete>")

    def test_deep_nesting_is_refused(self):
        depth = 100_000
        self.malformed(b"<Delete>" + b"<a>" * depth + b"</a>" * depth + b"</Delete>")

    def test_megabytes_are_refused(self):
        begin = b"<Delete><Object><Key>k</Key></Object><!-- "
        status, code, _ = self.delete_objects(begin + b"x" * (5 << 19) + b" --></Delete>")
        self.assertEqual(status, 400, code)
        # Of more than it cares to read it hangs up, so the answer may be lost.
        with ashlar.Raw(self.server) as raw, contextlib.suppress(ConnectionError):
            raw.send(sigv4.request(self.server, "POST", f"/{self.bucket}", "delete=",
                                   begin + b"x" * (64 << 20) + b" --></Delete>"))
            self.assertEqual(raw.answer()[0], 400)
        self.s3.head_bucket(Bucket=self.bucket)

    def test_a_complete_with_hostile_numbers_is_refused(self):
        upload = self.s3.create_multipart_upload(Bucket=self.bucket, Key="k")["UploadId"]
        for number in ("0", "-1", "10001", "99999999999999999999", "abc", ""):
            body = (f"<CompleteMultipartUpload><Part><PartNumber>{number}</PartNumber>"
                    f"<ETag>e</ETag></Part></CompleteMultipartUpload>").encode()
            answer = self.exchange(sigv4.request(self.server, "POST", f"/{self.bucket}/k",
                                                 f"uploadId={sigv4.quoted(upload)}", body))
            self.assertEqual(answer[0], 400, answer)


class Requests(RawCase):
    def test_headers_that_give_a_write_another_meaning_are_refused(self):
        self.put("k", b"12345")
        for name, value in (("x-amz-write-offset-bytes", "5"), ("x-amz-rename-source", "/b/x"),
                            ("x-amz-server-side-encryption-customer-key", "x"),
                            ("x-amz-what-comes-next-year", "1"), ("content-range", "bytes 0-1/5"),
                            ("if-unmodified-since", "Sat, 01 Jan 2000 00:00:00 GMT")):
            with self.subTest(name):
                self.refused_raw(self.request("PUT", body=b"67", headers={name: value}), 501,
                                 "NotImplemented")
        self.assertEqual(self.read("k"), b"12345")

    def test_headers_over_8_kib_are_refused(self):
        status, _, _ = self.exchange(self.request("GET", headers={"x-amz-meta-big": "v" * 9000}))
        self.assertIn(status, (400, 431))
        many = {f"x-amz-meta-h{n}": "v" * 50 for n in range(200)}
        self.assertIn(self.exchange(self.request("GET", headers=many))[0], (400, 431))

    def test_a_key_over_1024_bytes_or_with_nul_is_refused(self):
        self.refused_raw(self.request("PUT", "x" * 1025, body=b"x"), 400, "KeyTooLongError")
        status, _, _ = self.exchange(self.request("PUT", "a%00b", body=b"x"))
        self.assertEqual(status, 400)
        self.assertEqual(self.keys(), [])

    def test_broken_escapes_are_400(self):
        for key in ("a%", "a%2", "a%zz"):
            with self.subTest(key):
                self.assertIn(self.exchange(self.request("GET", key))[0], (400, 403))

    def test_nonsense_is_400_and_the_server_lives(self):
        for data in (b"\r\n\r\n\r\n", b"GET\r\n\r\n", b"\x00" * 1000 + b"\r\n\r\n",
                     b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
                     b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\n", b"A" * 100_000):
            with self.subTest(data[:20]), ashlar.Raw(self.server) as raw:
                try:
                    raw.send(data)
                    raw.socket.shutdown(socket.SHUT_WR)
                    self.assertIn(raw.answer()[0], (None, 400, 403, 414, 431, 505))
                except OSError as error:
                    if not ashlar.means_hung_up(error):
                        raise
        self.s3.head_bucket(Bucket=self.bucket)

    def test_an_unknown_method_is_not_allowed(self):
        self.assertIn(self.exchange(self.request("PATCH"))[0], (405, 501))

    def test_one_connection_serves_many_requests(self):
        with ashlar.Raw(self.server) as raw:
            for n in range(50):
                raw.send(self.request("PUT", f"k{n}", body=b"x" * n))
                self.assertEqual(raw.answer()[0], 200)
                raw.send(self.request("HEAD", f"k{n}"))
                status, headers, _ = raw.answer(head=True)
                self.assertEqual((status, headers["Content-Length"]), (200, str(n)))
                raw.send(self.request("GET", "absent"))
                self.assertEqual(raw.answer()[0], 404)

    def test_pipelined_requests_are_answered_in_order(self):
        for n in range(5):
            self.put(f"k{n}", f"body {n}".encode())
        with ashlar.Raw(self.server) as raw:
            raw.send(b"".join(self.request("GET", f"k{n}") for n in range(5)))
            for n in range(5):
                status, _, body = raw.answer()
                self.assertEqual((status, body), (200, f"body {n}".encode()))

    def test_close_is_obeyed(self):
        with ashlar.Raw(self.server) as raw:
            raw.send(self.request("GET", "absent", headers={"connection": "close"}))
            self.assertEqual(raw.answer()[0], 404)
            self.assertEqual(raw.stream.read(), b"")

    def test_ranges_of_hostile_size_are_harmless(self):
        self.put("k", b"12345")
        for text in ("bytes=-99999999999999999999999", "bytes=99999999999999999999-",
                     "bytes=0-18446744073709551615", "bytes=18446744073709551615-0",
                     "bytes=0-1,1-2,2-3", "bytes=" + ",".join(["0-4"] * 1000)):
            with self.subTest(text[:40]):
                status, _, _ = self.exchange(self.request("GET", headers={"range": text}))
                self.assertIn(status, (200, 206, 400, 416))

    def test_slow_uploads_leave_room_for_others(self):
        slow = [ashlar.Raw(self.server) for _ in range(100)]
        try:
            begun = self.request("PUT", "slow", headers={"content-length": str(1 << 30)},
                                 payload="UNSIGNED-PAYLOAD")
            for raw in slow:
                raw.send(begun + b"x" * 2000)
            body = ashlar.content(1 << 20)
            for n in range(5):
                self.put(f"k{n}", body)
            self.assertEqual(self.read("k4"), body)
        finally:
            for raw in slow:
                raw.close()

    def test_copies_that_read_all_are_bounded_and_end_with_their_clients(self):
        self.put("small", b"x" * 1000)
        self.s3.copy_object(Bucket=self.bucket, Key="copy", ChecksumAlgorithm="SHA256",
                            CopySource={"Bucket": self.bucket, "Key": "small"})
        self.assertEqual(self.read("copy"), b"x" * 1000)
        if self.server.mount_dir is None:
            self.skipTest("the sparse files need a mount")
        for name, size in (("huge", 1 << 60), ("large", 5 << 30)):
            with open(os.path.join(self.server.mount_dir, self.bucket, name), "wb") as file:
                file.truncate(size)

        def copying(source):
            return self.request("PUT", "copy", headers={
                "x-amz-copy-source": f"/{self.bucket}/{source}",
                "x-amz-checksum-algorithm": "SHA256"})
        self.refused_raw(copying("huge"), 400, "InvalidRequest")
        for _ in range(80):
            with ashlar.Raw(self.server) as raw:
                raw.send(copying("large"))
        self.assertIn("small", self.keys())

    def test_clients_that_stall_cost_the_others_nothing(self):
        stalled = [ashlar.Raw(self.server) for _ in range(200)]
        try:
            data = self.request("PUT", "stalled", body=b"x" * 100)
            for number, raw in enumerate(stalled):
                raw.send(data[:number % len(data)])
            for n in range(20):
                self.put(f"k{n}", b"x")
            self.assertEqual(len([k for k in self.keys() if k != "stalled"]), 20)
        finally:
            for raw in stalled:
                raw.close()


class Readers(RawCase):
    def test_a_client_that_stops_reading_costs_bounded_memory(self):
        body = ashlar.content(64 << 20)
        self.put("big", body)
        before, _ = self.server.metrics()
        stalled = [ashlar.Raw(self.server) for _ in range(300)]
        try:
            for raw in stalled:
                raw.send(self.request("GET", "big"))
                self.assertEqual(raw.socket.recv(1)[:1], b"H")
            self.put("k", b"x")
            self.assertEqual(self.read("k"), b"x")
            after, _ = self.server.metrics()
            self.assertLess(after - before, 300 << 20)
        finally:
            for raw in stalled:
                raw.close()


if __name__ == "__main__":
    unittest.main()
