"""Buckets and objects through boto3."""

import base64
import datetime
import hashlib
import http.client
import unittest

import ashlar
from checksums import DIGESTS, checksum

HOUR = datetime.timedelta(hours=1)


def md5(data):
    return hashlib.md5(data).hexdigest()


class Buckets(ashlar.TestCase):
    def test_a_made_bucket_is_listed_and_a_deleted_one_is_not(self):
        self.assertIn(self.bucket, [b["Name"] for b in self.s3.list_buckets()["Buckets"]])
        self.s3.head_bucket(Bucket=self.bucket)
        self.s3.delete_bucket(Bucket=self.bucket)
        self.assertNotIn(self.bucket, [b["Name"] for b in self.s3.list_buckets()["Buckets"]])
        with self.refused(404):
            self.s3.head_bucket(Bucket=self.bucket)

    def test_a_bucket_with_a_key_is_not_deleted(self):
        self.put("k")
        with self.refused(409, "BucketNotEmpty"):
            self.s3.delete_bucket(Bucket=self.bucket)
        self.assertEqual(self.keys(), ["k"])

    def test_operations_on_an_absent_bucket_say_so(self):
        for call in (
            lambda: self.s3.list_objects_v2(Bucket="absent-bucket"),
            lambda: self.s3.list_objects(Bucket="absent-bucket"),
            lambda: self.s3.get_object(Bucket="absent-bucket", Key="k"),
            lambda: self.s3.put_object(Bucket="absent-bucket", Key="k", Body=b"x"),
            lambda: self.s3.delete_object(Bucket="absent-bucket", Key="k"),
            lambda: self.s3.delete_bucket(Bucket="absent-bucket"),
            lambda: self.s3.create_multipart_upload(Bucket="absent-bucket", Key="k"),
            lambda: self.s3.list_multipart_uploads(Bucket="absent-bucket"),
            lambda: self.s3.get_bucket_location(Bucket="absent-bucket"),
        ):
            with self.refused(404, "NoSuchBucket"):
                call()

    def test_bad_bucket_names_are_refused(self):
        client = self.server.s3()
        # boto3 would refuse them itself.
        client.meta.events.unregister("before-parameter-build.s3",
                                      __import__("botocore.handlers").handlers.validate_bucket_name)
        for name in ("Upper-Case", "ab", "a" * 64, "under_score", "-dash", "dash-", "a..b",
                     "192.168.1.1"):
            with self.subTest(name), self.refused(400, "InvalidBucketName"):
                client.create_bucket(Bucket=name)

    def test_location_and_versioning_answer(self):
        self.assertIn(self.s3.get_bucket_location(Bucket=self.bucket)["LocationConstraint"],
                      (None, ""))
        self.assertNotIn("Status", self.s3.get_bucket_versioning(Bucket=self.bucket))

    def test_what_is_not_there_says_not_implemented(self):
        for call in (
            lambda: self.s3.put_bucket_versioning(Bucket=self.bucket,
                                                  VersioningConfiguration={"Status": "Enabled"}),
            lambda: self.s3.get_bucket_policy(Bucket=self.bucket),
            lambda: self.s3.put_bucket_website(
                Bucket=self.bucket, WebsiteConfiguration={"IndexDocument": {"Suffix": "i"}}),
            lambda: self.s3.get_bucket_notification_configuration(Bucket=self.bucket),
        ):
            with self.refused(501, "NotImplemented"):
                call()


class Objects(ashlar.TestCase):
    def test_what_was_put_is_got(self):
        for size in (0, 1, 4095, 4096, 65536, 100_000, 1 << 20, (5 << 20) + 17):
            with self.subTest(size=size):
                body = ashlar.content(size, size)
                put = self.put(f"size-{size}", body)
                got = self.get(f"size-{size}")
                self.assertEqual(got["Body"], body)
                self.assertEqual(got["ContentLength"], size)
                self.assertEqual(put["ETag"], f'"{md5(body)}"')
                self.assertEqual(got["ETag"], put["ETag"])

    def test_a_connection_is_good_for_the_next_put(self):
        """botocore loses its place when `Expect: 100-continue` is answered by a success alone."""
        client = self.server.s3(retries={"max_attempts": 0}, read_timeout=20)
        for n, body in enumerate((b"", b"x", b"", b"", b"y" * 100_000, b"")):
            client.put_object(Bucket=self.bucket, Key=f"k{n}", Body=body)
            self.assertEqual(self.read(f"k{n}"), body)
        with self.refused(404, "NoSuchBucket"):
            client.put_object(Bucket="absent-bucket", Key="k", Body=b"")
        client.put_object(Bucket=self.bucket, Key="k", Body=b"after an error")
        self.assertEqual(self.read("k"), b"after an error")

    def test_an_overwrite_replaces_all(self):
        self.put("k", b"long old content", Metadata={"old": "1"})
        self.put("k", b"new")
        got = self.get("k")
        self.assertEqual((got["Body"], got["Metadata"]), (b"new", {}))

    def test_an_absent_key_is_no_such_key(self):
        with self.refused(404, "NoSuchKey"):
            self.get("absent")
        with self.refused(404):
            self.head("absent")
        self.assertEqual(204, self.s3.delete_object(Bucket=self.bucket, Key="absent")
                         ["ResponseMetadata"]["HTTPStatusCode"])

    def test_odd_keys_are_kept_to_the_byte(self):
        keys = ["a b", "a+b", "a%20b", "ünï/cödé", "日本/語", "a//b", "/leading",
                "trailing/", "./dot", "../up", "a/./b", "a/../b", "quote'\"", "<&>", "a?b=c&d", "#hash",
                "tab\tx", "x" * 1024, "d/" + "y" * 255, "~-_.!*()", "\U0001f600"]
        for key in keys:
            with self.subTest(key=key):
                self.put(key, key.encode())
                self.assertEqual(self.read(key), key.encode())
        self.assertEqual(sorted(self.keys(), key=str.encode), sorted(keys, key=str.encode))
        for key in keys:
            self.s3.delete_object(Bucket=self.bucket, Key=key)
        self.assertEqual(self.keys(), [])

    def test_a_key_and_keys_below_it_live_together(self):
        self.put("a", b"1")
        self.put("a/b", b"2")
        self.put("a/b/c", b"3")
        self.assertEqual([self.read(k) for k in ("a", "a/b", "a/b/c")], [b"1", b"2", b"3"])
        self.s3.delete_object(Bucket=self.bucket, Key="a/b")
        self.assertEqual(self.keys(), ["a", "a/b/c"])

    def test_a_key_of_1025_bytes_is_too_long(self):
        with self.refused(400, "KeyTooLongError"):
            self.put("x" * 1025)

    def test_metadata_and_standard_headers_are_kept(self):
        headers = {"CacheControl": "max-age=3", "ContentDisposition": 'attachment; filename="x"',
                   "ContentEncoding": "gzip", "ContentLanguage": "de",
                   "ContentType": "text/x-odd; charset=utf-8"}
        self.put("k", b"x", Metadata={"one": "1", "two-words": "a b", "case": "CaSe"}, **headers)
        for answer in (self.get("k"), self.head("k")):
            self.assertEqual(answer["Metadata"], {"one": "1", "two-words": "a b", "case": "CaSe"})
            self.assertEqual({name: answer[name] for name in headers}, headers)

    def test_expires_is_kept(self):
        when = datetime.datetime(2031, 5, 6, 7, 8, 9, tzinfo=datetime.timezone.utc)
        self.put("k", b"x", Expires=when)
        headers = self.head("k")["ResponseMetadata"]["HTTPHeaders"]
        self.assertEqual(headers["expires"], "Tue, 06 May 2031 07:08:09 GMT")

    def test_metadata_over_2_kib_is_refused(self):
        with self.refused(400, "MetadataTooLarge"):
            self.put("k", b"x", Metadata={"big": "v" * 2100})

    def test_the_type_is_octets_when_nobody_said(self):
        self.put("k", b"x")
        self.assertIn(self.head("k")["ContentType"],
                      ("binary/octet-stream", "application/octet-stream"))

    def test_last_modified_is_now(self):
        before = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        self.put("k", b"x")
        after = datetime.datetime.now(datetime.timezone.utc)
        self.assertTrue(before <= self.head("k")["LastModified"] <= after)

    def test_answers_carry_a_request_id(self):
        answer = self.put("k", b"x")
        self.assertTrue(answer["ResponseMetadata"]["RequestId"])
        with self.refused(404, "NoSuchKey") as caught:
            self.get("absent")
        self.assertTrue(caught.exception.response["ResponseMetadata"]["RequestId"])

    def test_response_headers_can_be_overridden(self):
        self.put("k", b"x", ContentType="text/plain")
        got = self.get("k", ResponseContentType="image/png", ResponseCacheControl="no-store",
                       ResponseContentDisposition="inline", ResponseContentLanguage="fr",
                       ResponseContentEncoding="identity")
        self.assertEqual((got["ContentType"], got["CacheControl"], got["ContentDisposition"],
                          got["ContentLanguage"], got["ContentEncoding"]),
                         ("image/png", "no-store", "inline", "fr", "identity"))


class Ranges(ashlar.TestCase):
    def test_ranges_give_exactly_their_bytes(self):
        body = ashlar.content(3_000_000)
        self.put("k", body)
        for text, begin, end in (
            ("bytes=0-0", 0, 1), ("bytes=0-99", 0, 100), ("bytes=65530-65545", 65530, 65546),
            ("bytes=1048570-1048586", 1048570, 1048587), ("bytes=-5", len(body) - 5, len(body)),
            ("bytes=2999990-", 2999990, len(body)), ("bytes=2999990-9999999", 2999990, len(body)),
            ("bytes=-9999999", 0, len(body)), ("bytes=0-", 0, len(body)),
        ):
            with self.subTest(text):
                got = self.get("k", Range=text)
                self.assertEqual(got["ResponseMetadata"]["HTTPStatusCode"], 206)
                self.assertEqual(got["ContentRange"], f"bytes {begin}-{end - 1}/{len(body)}")
                self.assertEqual(got["Body"], body[begin:end])

    def test_a_range_behind_the_end_is_416(self):
        self.put("k", b"12345")
        self.put("empty", b"")
        for key, text in (("k", "bytes=5-9"), ("k", "bytes=-0"), ("empty", "bytes=0-0")):
            with self.subTest(text), self.refused(416, "InvalidRange"):
                self.get(key, Range=text)

    def test_a_malformed_range_is_ignored(self):
        self.put("k", b"12345")
        for text in ("bytes=3-1", "bytes=a-b", "lines=0-1", "bytes=--5", "bytes="):
            with self.subTest(text):
                got = self.get("k", Range=text)
                self.assertEqual((got["ResponseMetadata"]["HTTPStatusCode"], got["Body"]),
                                 (200, b"12345"))

    def test_head_answers_ranges_too(self):
        self.put("k", b"12345")
        head = self.s3.head_object(Bucket=self.bucket, Key="k", Range="bytes=1-2")
        self.assertEqual(head["ContentLength"], 2)


class Conditions(ashlar.TestCase):
    def setUp(self):
        super().setUp()
        self.etag = self.put("k", b"content")["ETag"]
        self.when = self.head("k")["LastModified"]

    def test_reads_obey_etags(self):
        for call in (self.get, self.head):
            call("k", IfMatch=self.etag)
            call("k", IfMatch="*")
            call("k", IfNoneMatch='"other"')
            with self.refused(412):
                call("k", IfMatch='"other"')
            with self.refused(304):
                call("k", IfNoneMatch=self.etag)
            with self.refused(304):
                call("k", IfNoneMatch="*")

    def test_reads_obey_dates(self):
        self.get("k", IfModifiedSince=self.when - HOUR)
        self.get("k", IfUnmodifiedSince=self.when)
        with self.refused(304):
            self.get("k", IfModifiedSince=self.when)
        with self.refused(412):
            self.get("k", IfUnmodifiedSince=self.when - HOUR)

    def test_an_etag_goes_before_a_date(self):
        self.get("k", IfMatch=self.etag, IfUnmodifiedSince=self.when - HOUR)
        with self.refused(304):
            self.get("k", IfNoneMatch=self.etag, IfModifiedSince=self.when - HOUR)

    def with_headers(self, operation, **headers):
        """A client that adds headers of which older SDKs do not know."""
        client = self.server.s3()

        def add(request, **_):
            for name, value in headers.items():
                request.headers[name.replace("_", "-")] = value

        client.meta.events.register(f"before-sign.s3.{operation}", add)
        return client

    def test_a_put_if_absent_happens_once(self):
        client = self.with_headers("PutObject", If_None_Match="*")
        with self.refused(412, "PreconditionFailed"):
            client.put_object(Bucket=self.bucket, Key="k", Body=b"new")
        self.assertEqual(self.read("k"), b"content")
        client.put_object(Bucket=self.bucket, Key="fresh", Body=b"new")
        self.assertEqual(self.read("fresh"), b"new")

    def test_a_put_if_match_replaces_only_that(self):
        client = self.with_headers("PutObject", If_Match=self.etag)
        client.put_object(Bucket=self.bucket, Key="k", Body=b"second")
        with self.refused(412, "PreconditionFailed"):
            client.put_object(Bucket=self.bucket, Key="k", Body=b"third")
        with self.refused(404, "NoSuchKey"):
            client.put_object(Bucket=self.bucket, Key="absent", Body=b"third")
        self.assertEqual(self.read("k"), b"second")

    def test_a_copy_obeys_its_source_conditions(self):
        source = {"Bucket": self.bucket, "Key": "k"}

        def copy(**conditions):
            return self.s3.copy_object(Bucket=self.bucket, Key="c", CopySource=source, **conditions)

        copy(CopySourceIfMatch=self.etag)
        copy(CopySourceIfNoneMatch='"other"')
        copy(CopySourceIfUnmodifiedSince=self.when)
        copy(CopySourceIfModifiedSince=self.when - HOUR)
        for conditions in ({"CopySourceIfMatch": '"other"'},
                           {"CopySourceIfNoneMatch": self.etag},
                           {"CopySourceIfUnmodifiedSince": self.when - HOUR},
                           {"CopySourceIfModifiedSince": self.when}):
            with self.subTest(conditions), self.refused(412, "PreconditionFailed"):
                copy(**conditions)

    def test_a_complete_obeys_conditions(self):
        client = self.with_headers("CompleteMultipartUpload", If_None_Match="*")
        upload = self.s3.create_multipart_upload(Bucket=self.bucket, Key="k")["UploadId"]
        part = self.s3.upload_part(Bucket=self.bucket, Key="k", UploadId=upload, PartNumber=1,
                                   Body=b"p")
        parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        with self.refused(412, "PreconditionFailed"):
            client.complete_multipart_upload(Bucket=self.bucket, Key="k", UploadId=upload,
                                             MultipartUpload=parts)
        self.assertEqual(self.read("k"), b"content")


class Checksums(ashlar.TestCase):
    def put_with(self, key, body, algorithm, value):
        client = self.server.s3()

        def add(request, **_):
            for name in [n for n in request.headers if n.lower().startswith("x-amz-checksum")]:
                del request.headers[name]
            request.headers[f"x-amz-checksum-{algorithm.lower()}"] = value

        client.meta.events.register("before-sign.s3.PutObject", add)
        # A checksum of the SDK's own as a trailer would be a second one.
        config = {}
        if hasattr(client.meta.config, "request_checksum_calculation"):
            config["request_checksum_calculation"] = "when_required"
            client = self.server.s3(**config)
            client.meta.events.register("before-sign.s3.PutObject", add)
        return client.put_object(Bucket=self.bucket, Key=key, Body=body)

    def test_all_five_are_verified_stored_and_returned(self):
        body = ashlar.content(70_000)
        for algorithm in DIGESTS:
            with self.subTest(algorithm):
                value = checksum(algorithm, body)
                header = f"x-amz-checksum-{algorithm.lower()}"
                put = self.put_with(algorithm, body, algorithm, value)
                self.assertEqual(put["ResponseMetadata"]["HTTPHeaders"].get(header), value)
                head = self.head(algorithm, ChecksumMode="ENABLED")
                self.assertEqual(head["ResponseMetadata"]["HTTPHeaders"].get(header), value)
                got = self.get(algorithm, ChecksumMode="ENABLED")
                self.assertEqual(got["Body"], body)

    def test_a_wrong_one_stores_nothing(self):
        for algorithm in DIGESTS:
            with self.subTest(algorithm):
                with self.refused(400, "BadDigest"):
                    self.put_with(algorithm, b"body", algorithm, checksum(algorithm, b"other"))
                with self.refused(404):
                    self.head(algorithm)

    def test_one_of_the_wrong_length_is_invalid(self):
        with self.refused(400, "InvalidRequest"):
            self.put_with("k", b"body", "SHA256", base64.b64encode(b"short").decode())

    def test_content_md5_is_verified(self):
        good = base64.b64encode(hashlib.md5(b"body").digest()).decode()
        bad = base64.b64encode(hashlib.md5(b"other").digest()).decode()
        self.put("k", b"body", ContentMD5=good)
        with self.refused(400, "BadDigest"):
            self.put("bad", b"body", ContentMD5=bad)
        with self.refused(400, "InvalidDigest"):
            self.put("bad", b"body", ContentMD5="nonsense")
        with self.refused(404):
            self.head("bad")

    def test_the_sdk_computes_and_checks(self):
        for algorithm in ("CRC32", "SHA1", "SHA256"):
            with self.subTest(algorithm):
                put = self.put(algorithm, b"hello", ChecksumAlgorithm=algorithm)
                self.assertEqual(put[f"Checksum{algorithm}"], checksum(algorithm, b"hello"))
                got = self.get(algorithm, ChecksumMode="ENABLED")
                self.assertEqual(got["Body"], b"hello")


class Tags(ashlar.TestCase):
    def test_an_object_has_none(self):
        self.put("a b/k")
        self.assertEqual(
            self.s3.get_object_tagging(Bucket=self.bucket, Key="a b/k")["TagSet"], [])

    def test_those_of_an_absent_key_are_not_found(self):
        with self.refused(404, "NoSuchKey"):
            self.s3.get_object_tagging(Bucket=self.bucket, Key="absent")
        with self.refused(404, "NoSuchBucket"):
            self.s3.get_object_tagging(Bucket="absent-bucket", Key="k")

    def test_setting_them_is_refused_and_stores_nothing(self):
        self.put("k", b"old")
        source = {"Bucket": self.bucket, "Key": "k"}
        tags = {"TagSet": [{"Key": "a", "Value": "b"}]}
        for call in (
            lambda: self.s3.put_object(Bucket=self.bucket, Key="new", Body=b"x", Tagging="a=b"),
            lambda: self.s3.create_multipart_upload(Bucket=self.bucket, Key="new", Tagging="a=b"),
            lambda: self.s3.copy_object(Bucket=self.bucket, Key="new", CopySource=source,
                                        Tagging="a=b", TaggingDirective="REPLACE"),
            lambda: self.s3.put_object_tagging(Bucket=self.bucket, Key="k", Tagging=tags),
            lambda: self.s3.delete_object_tagging(Bucket=self.bucket, Key="k"),
        ):
            with self.refused(501, "NotImplemented"):
                call()
        self.assertEqual(self.keys(), ["k"])
        self.assertNotIn("Uploads", self.s3.list_multipart_uploads(Bucket=self.bucket))


class Copies(ashlar.TestCase):
    def copy(self, source, target, **options):
        return self.s3.copy_object(Bucket=self.bucket, Key=target,
                                   CopySource={"Bucket": self.bucket, "Key": source}, **options)

    def test_a_copy_has_bytes_metadata_and_etag_of_its_source(self):
        body = ashlar.content(3_000_000)
        put = self.put("src ü", body, Metadata={"m": "1"}, ContentType="text/plain")
        answer = self.copy("src ü", "dst/copy")
        got = self.get("dst/copy")
        self.assertEqual((got["Body"], got["Metadata"], got["ContentType"], got["ETag"]),
                         (body, {"m": "1"}, "text/plain", put["ETag"]))
        self.assertEqual(answer["CopyObjectResult"]["ETag"], put["ETag"])

    def test_a_copy_outlives_its_source(self):
        body = ashlar.content(300_000)
        self.put("src", body)
        self.copy("src", "dst")
        self.put("src", b"overwritten")
        self.s3.delete_object(Bucket=self.bucket, Key="src")
        self.assertEqual(self.read("dst"), body)

    def test_metadata_can_be_replaced(self):
        self.put("src", b"x", Metadata={"m": "1"}, ContentType="text/plain")
        self.copy("src", "dst", MetadataDirective="REPLACE", Metadata={"n": "2"},
                  ContentType="text/html")
        got = self.get("dst")
        self.assertEqual((got["Metadata"], got["ContentType"]), ({"n": "2"}, "text/html"))

    def test_a_copy_onto_itself_must_change_something(self):
        self.put("k", b"x")
        with self.refused(400, "InvalidRequest"):
            self.copy("k", "k")
        self.copy("k", "k", MetadataDirective="REPLACE", Metadata={"n": "2"})
        got = self.get("k")
        self.assertEqual((got["Body"], got["Metadata"]), (b"x", {"n": "2"}))

    def test_a_copy_goes_between_buckets(self):
        other = self.bucket + "-other"
        self.s3.create_bucket(Bucket=other)
        self.put("k", b"x")
        self.s3.copy_object(Bucket=other, Key="k", CopySource=f"{self.bucket}/k")
        self.assertEqual(self.s3.get_object(Bucket=other, Key="k")["Body"].read(), b"x")

    def test_an_absent_source_is_named(self):
        with self.refused(404, "NoSuchKey"):
            self.copy("absent", "dst")
        with self.refused(404, "NoSuchBucket"):
            self.s3.copy_object(Bucket=self.bucket, Key="k", CopySource="absent-bucket/k")


class Deletes(ashlar.TestCase):
    def test_many_keys_go_at_once(self):
        for n in range(20):
            self.put(f"d/{n}", b"x")
        answer = self.s3.delete_objects(
            Bucket=self.bucket,
            Delete={"Objects": [{"Key": f"d/{n}"} for n in range(10)] + [{"Key": "absent"}]})
        self.assertEqual(len(answer["Deleted"]), 11)
        self.assertEqual(len(self.keys()), 10)

    def test_quiet_names_only_errors(self):
        self.put("k", b"x")
        answer = self.s3.delete_objects(
            Bucket=self.bucket, Delete={"Objects": [{"Key": "k"}], "Quiet": True})
        self.assertNotIn("Deleted", answer)
        self.assertNotIn("Errors", answer)
        self.assertEqual(self.keys(), [])

    def test_a_thousand_keys_are_the_limit(self):
        names = [{"Key": f"{n}"} for n in range(1001)]
        self.s3.delete_objects(Bucket=self.bucket, Delete={"Objects": names[:1000]})
        with self.refused(400, "MalformedXML"):
            self.s3.delete_objects(Bucket=self.bucket, Delete={"Objects": names})


class PresignedUrls:
    """Of whichever version self.s3 signs by."""

    def open(self, url, method="GET", data=None, headers=None):
        """(status, headers, body); without the Content-Type that urllib would add."""
        connection = http.client.HTTPConnection(self.server.host, timeout=30)
        self.addCleanup(connection.close)
        connection.request(method, url.split(self.server.host, 1)[1], data, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def url(self, operation, key, **parameters):
        return self.s3.generate_presigned_url(
            operation, {"Bucket": self.bucket, "Key": key, **parameters})

    def test_urls_give_and_take_objects(self):
        key = "a b/ü+~"
        self.assertEqual(self.open(self.url("put_object", key), "PUT", b"data")[0], 200)
        self.assertEqual(self.open(self.url("get_object", key))[::2], (200, b"data"))
        status, headers, _ = self.open(self.url("head_object", key), "HEAD")
        self.assertEqual((status, headers["Content-Length"]), (200, "4"))
        self.assertEqual(self.open(self.url("delete_object", key), "DELETE")[0], 204)
        self.assertEqual(self.keys(), [])

    def test_a_url_is_for_one_method_and_key(self):
        self.put("k", b"x")
        url = self.url("get_object", "k")
        for method, address in (("DELETE", url), ("GET", url.replace("/k?", "/other?"))):
            status, _, body = self.open(address, method)
            self.assertEqual((status, b"SignatureDoesNotMatch" in body), (403, True))
        self.assertEqual(self.keys(), ["k"])

    def test_response_headers_are_part_of_the_signature(self):
        self.put("k", b"x")
        url = self.url("get_object", "k", ResponseContentType="a/b; c=d")
        self.assertEqual(self.open(url)[1]["Content-Type"], "a/b; c=d")
        self.assertEqual(self.open(url.replace("a%2Fb", "a%2Fc"))[0], 403)

    def test_headers_that_were_signed_are_taken(self):
        url = self.url("put_object", "k", Metadata={"m": "1"}, ContentType="text/x")
        headers = {"x-amz-meta-m": "1", "Content-Type": "text/x"}
        self.assertEqual(self.open(url, "PUT", b"data", headers)[0], 200)
        got = self.get("k")
        self.assertEqual((got["Metadata"], got["ContentType"]), ({"m": "1"}, "text/x"))
        headers["x-amz-meta-m"] = "2"
        self.assertEqual(self.open(url, "PUT", b"data", headers)[0], 403)


class PresignedByDefault(PresignedUrls, ashlar.TestCase):
    """Version 2, as boto3 signs URLs unless told otherwise."""

    def test_it_is_version_2(self):
        self.assertIn("AWSAccessKeyId=", self.url("get_object", "k"))

    def test_a_url_ends(self):
        self.put("k", b"x")
        url = self.s3.generate_presigned_url(
            "get_object", {"Bucket": self.bucket, "Key": "k"}, ExpiresIn=-10)
        self.assertIn(self.open(url)[0], (400, 403))

    def test_parameters_do_what_their_headers_do(self):
        url = self.url("put_object", "k", Metadata={"m": "1"}, ContentType="text/x")
        self.assertEqual(self.open(url, "PUT", b"data")[0], 200)
        got = self.get("k")
        self.assertEqual((got["Metadata"], got["ContentType"]), ({"m": "1"}, "text/x"))
        status, _, body = self.open(self.url("put_object", "tagged", Tagging="a=b"), "PUT", b"")
        self.assertEqual((status, b"NotImplemented" in body), (501, True))


class PresignedByVersion4(PresignedUrls, ashlar.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.s3 = cls.server.s3(signature_version="s3v4")

    def test_urls_list_and_upload_parts(self):
        upload = self.s3.create_multipart_upload(Bucket=self.bucket, Key="k")["UploadId"]
        url = self.url("upload_part", "k", UploadId=upload, PartNumber=1)
        self.assertEqual(self.open(url, "PUT", b"part")[0], 200)
        url = self.s3.generate_presigned_url("list_multipart_uploads", {"Bucket": self.bucket})
        status, _, body = self.open(url)
        self.assertEqual((status, upload.encode() in body), (200, True))
        url = self.s3.generate_presigned_url("list_objects_v2",
                                             {"Bucket": self.bucket, "Prefix": "a/"})
        self.assertEqual(self.open(url)[0], 200)

    def test_a_url_of_more_than_a_week_is_refused(self):
        url = self.s3.generate_presigned_url("get_object", {"Bucket": self.bucket, "Key": "k"},
                                             ExpiresIn=8 * 86400)
        status, _, body = self.open(url)
        self.assertEqual((status, b"AuthorizationQueryParametersError" in body), (400, True))


class VirtualHosts(ashlar.TestCase):
    server_options = {"arguments": ["--domain", "localhost"]}

    def test_the_bucket_may_be_in_the_host_name(self):
        client = self.server.s3(endpoint=f"http://localhost:{self.server.port}",
                                s3={"addressing_style": "virtual"})
        hosts = []

        def to_loopback(request, **_):
            # The name stays in the header: no name service knows those of tests.
            hosts.append(request.url.split("/")[2])
            request.headers["Host"] = hosts[-1]
            request.url = request.url.replace(hosts[-1], self.server.host, 1)

        client.meta.events.register("before-send.s3", to_loopback)
        client.put_object(Bucket=self.bucket, Key="k", Body=b"virtual")
        self.assertEqual(client.get_object(Bucket=self.bucket, Key="k")["Body"].read(), b"virtual")
        self.assertTrue(all(host.startswith(self.bucket + ".localhost:") for host in hosts), hosts)
        self.assertEqual(self.read("k"), b"virtual")

    def test_presigned_urls_may_be_of_that_style(self):
        self.put("k", b"virtual")
        client = self.server.s3(endpoint=f"http://localhost:{self.server.port}",
                                s3={"addressing_style": "virtual"})
        for key, status in (("k", 200), ("absent", 404)):
            url = client.generate_presigned_url("get_object", {"Bucket": self.bucket, "Key": key})
            host, path = url.split("/", 3)[2:]
            self.assertTrue(host.startswith(self.bucket + ".localhost"))
            connection = http.client.HTTPConnection(self.server.host, timeout=30)
            self.addCleanup(connection.close)
            connection.request("GET", "/" + path, headers={"Host": host})
            self.assertEqual(connection.getresponse().status, status)


if __name__ == "__main__":
    unittest.main()
