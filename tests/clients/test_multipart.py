"""Multipart uploads through boto3."""

import hashlib
import io
import unittest

import boto3.s3.transfer

import ashlar
from checksums import checksum

MIB = 1 << 20
PART_MIN = 5 * MIB


class Multipart(ashlar.TestCase):
    def create(self, key="k", **options):
        return self.s3.create_multipart_upload(Bucket=self.bucket, Key=key, **options)["UploadId"]

    def part(self, upload, number, body, key="k", **options):
        return self.s3.upload_part(Bucket=self.bucket, Key=key, UploadId=upload,
                                   PartNumber=number, Body=body, **options)["ETag"]

    def complete(self, upload, etags, key="k"):
        parts = [{"PartNumber": number, "ETag": etag} for number, etag in etags]
        return self.s3.complete_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload,
                                                 MultipartUpload={"Parts": parts})

    def test_parts_become_one_object_in_order(self):
        bodies = {1: ashlar.content(PART_MIN, 1), 2: ashlar.content(PART_MIN + 7, 2),
                  9: ashlar.content(1000, 9)}
        upload = self.create(Metadata={"m": "1"}, ContentType="text/x")
        etags = {n: self.part(upload, n, bodies[n]) for n in (9, 1, 2)}
        with self.refused(404):
            self.head("k")
        answer = self.complete(upload, sorted(etags.items()))
        whole = b"".join(bodies[n] for n in sorted(bodies))
        digest = hashlib.md5(b"".join(hashlib.md5(bodies[n]).digest() for n in sorted(bodies)))
        self.assertEqual(answer["ETag"], f'"{digest.hexdigest()}-3"')
        got = self.get("k")
        self.assertEqual((got["Body"], got["Metadata"], got["ContentType"], got["ETag"]),
                         (whole, {"m": "1"}, "text/x", answer["ETag"]))
        at = PART_MIN - 10
        self.assertEqual(self.read("k", Range=f"bytes={at}-{at + 19}"), whole[at:at + 20])

    def test_a_part_can_be_read_by_its_number(self):
        upload = self.create()
        bodies = [ashlar.content(PART_MIN, 1), ashlar.content(PART_MIN, 2), b"tail"]
        self.complete(upload, [(n, self.part(upload, n, b)) for n, b in enumerate(bodies, 1)])
        for number, body in enumerate(bodies, 1):
            got = self.get("k", PartNumber=number)
            self.assertEqual((got["Body"], got["PartsCount"]), (body, 3))
            self.assertEqual(self.head("k", PartNumber=number)["ContentLength"], len(body))
        with self.refused(416, "InvalidPartNumber"):
            self.get("k", PartNumber=4)

    def test_a_part_sent_again_replaces_the_first(self):
        upload = self.create()
        self.part(upload, 1, b"first")
        etag = self.part(upload, 1, b"second")
        self.complete(upload, [(1, etag)])
        self.assertEqual(self.read("k"), b"second")

    def test_parts_left_out_are_not_in_the_object(self):
        upload = self.create()
        etags = [(n, self.part(upload, n, ashlar.content(PART_MIN, n))) for n in (1, 2, 3)]
        self.complete(upload, [etags[0], etags[2]])
        self.assertEqual(self.read("k"), ashlar.content(PART_MIN, 1) + ashlar.content(PART_MIN, 3))

    def test_wrong_lists_of_parts_are_refused(self):
        upload = self.create()
        one = self.part(upload, 1, ashlar.content(PART_MIN, 1))
        two = self.part(upload, 2, b"tail")
        with self.refused(400, "InvalidPartOrder"):
            self.complete(upload, [(2, two), (1, one)])
        with self.refused(400, "InvalidPart"):
            self.complete(upload, [(1, two), (2, two)])
        with self.refused(400, "InvalidPart"):
            self.complete(upload, [(1, one), (3, two)])
        self.complete(upload, [(1, one), (2, two)])

    def test_a_small_part_before_the_last_is_too_small(self):
        upload = self.create()
        etags = [(n, self.part(upload, n, b"small")) for n in (1, 2)]
        with self.refused(400, "EntityTooSmall"):
            self.complete(upload, etags)

    def test_part_numbers_are_1_to_10000(self):
        upload = self.create()
        for number in (0, -1, 10001):
            with self.subTest(number), self.refused(400, "InvalidArgument"):
                self.part(upload, number, b"x")
        self.complete(upload, [(10000, self.part(upload, 10000, b"last"))])
        self.assertEqual(self.read("k"), b"last")

    def test_an_unknown_upload_is_named(self):
        for call in (lambda: self.part("unknown", 1, b"x"),
                     lambda: self.complete("unknown", [(1, '"' + "0" * 32 + '"')]),
                     lambda: self.s3.abort_multipart_upload(Bucket=self.bucket, Key="k",
                                                            UploadId="unknown"),
                     lambda: self.s3.list_parts(Bucket=self.bucket, Key="k", UploadId="unknown")):
            with self.refused(404, "NoSuchUpload"):
                call()

    def test_a_completion_repeated_after_a_lost_answer_is_answered_again(self):
        upload = self.create()
        parts = [(1, self.part(upload, 1, b"x"))]
        first = self.complete(upload, parts)
        self.assertEqual(self.complete(upload, parts)["ETag"], first["ETag"])
        self.assertEqual(self.read("k"), b"x")
        self.put("k", b"newer")
        with self.refused(404, "NoSuchUpload"):
            self.complete(upload, parts)
        self.assertEqual(self.read("k"), b"newer")

    def test_an_aborted_upload_is_gone(self):
        upload = self.create()
        self.part(upload, 1, b"x")
        self.s3.abort_multipart_upload(Bucket=self.bucket, Key="k", UploadId=upload)
        with self.refused(404, "NoSuchUpload"):
            self.part(upload, 2, b"x")
        self.assertEqual(self.keys(), [])
        self.s3.delete_bucket(Bucket=self.bucket)

    def test_parts_and_uploads_are_listed_in_pages(self):
        upload = self.create("b/2")
        other = self.create("a")
        third = self.create("b/1")
        for number in range(1, 8):
            self.part(upload, number, b"x" * number, key="b/2")
        page = self.s3.list_parts(Bucket=self.bucket, Key="b/2", UploadId=upload, MaxParts=5)
        self.assertEqual([p["PartNumber"] for p in page["Parts"]], [1, 2, 3, 4, 5])
        self.assertTrue(page["IsTruncated"])
        rest = self.s3.list_parts(Bucket=self.bucket, Key="b/2", UploadId=upload,
                                  PartNumberMarker=page["NextPartNumberMarker"])
        self.assertEqual([(p["PartNumber"], p["Size"]) for p in rest["Parts"]], [(6, 6), (7, 7)])
        uploads = self.s3.list_multipart_uploads(Bucket=self.bucket)
        self.assertEqual([(u["Key"], u["UploadId"]) for u in uploads["Uploads"]],
                         [("a", other), ("b/1", third), ("b/2", upload)])
        grouped = self.s3.list_multipart_uploads(Bucket=self.bucket, Delimiter="/")
        self.assertEqual([u["Key"] for u in grouped["Uploads"]], ["a"])
        self.assertEqual([p["Prefix"] for p in grouped["CommonPrefixes"]], ["b/"])
        first = self.s3.list_multipart_uploads(Bucket=self.bucket, MaxUploads=1)
        self.assertTrue(first["IsTruncated"])
        more = self.s3.list_multipart_uploads(Bucket=self.bucket, KeyMarker=first["NextKeyMarker"],
                                              UploadIdMarker=first["NextUploadIdMarker"])
        self.assertEqual([u["Key"] for u in more["Uploads"]], ["b/1", "b/2"])

    def test_parts_can_be_copied_from_objects(self):
        body = ashlar.content(12 * MIB)
        self.put("src", body)
        upload = self.create()
        source = {"Bucket": self.bucket, "Key": "src"}
        etags = []
        for number, span in enumerate(((0, 6 * MIB - 1), (6 * MIB, 12 * MIB - 1)), 1):
            answer = self.s3.upload_part_copy(
                Bucket=self.bucket, Key="k", UploadId=upload, PartNumber=number,
                CopySource=source, CopySourceRange=f"bytes={span[0]}-{span[1]}")
            etags.append((number, answer["CopyPartResult"]["ETag"]))
        etags.append((3, self.s3.upload_part_copy(
            Bucket=self.bucket, Key="k", UploadId=upload, PartNumber=3,
            CopySource=source)["CopyPartResult"]["ETag"]))
        self.complete(upload, etags)
        self.s3.delete_object(Bucket=self.bucket, Key="src")
        self.assertEqual(self.read("k"), body + body)

    def test_a_copy_range_behind_the_source_is_refused(self):
        self.put("src", b"12345")
        upload = self.create()
        for text in ("bytes=0-5", "bytes=9-12", "bytes=3-", "0-3"):
            with self.subTest(text), self.assertRaises(self.s3.exceptions.ClientError) as caught:
                self.s3.upload_part_copy(Bucket=self.bucket, Key="k", UploadId=upload,
                                         PartNumber=1, CopySourceRange=text,
                                         CopySource=f"{self.bucket}/src")
            error = caught.exception.response
            self.assertIn(error["ResponseMetadata"]["HTTPStatusCode"], (400, 416))
            self.assertIn(error["Error"]["Code"], ("InvalidRange", "InvalidArgument"))

    def test_part_checksums_are_verified_and_make_one_of_the_object(self):
        bodies = [ashlar.content(PART_MIN, 1), b"tail"]
        upload = self.create(ChecksumAlgorithm="SHA256")
        parts = []
        for number, body in enumerate(bodies, 1):
            value = checksum("SHA256", body)
            answer = self.s3.upload_part(Bucket=self.bucket, Key="k", UploadId=upload, Body=body,
                                         PartNumber=number, ChecksumSHA256=value)
            self.assertEqual(answer["ChecksumSHA256"], value)
            parts.append({"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": value})
        with self.refused(400, "BadDigest"):
            self.s3.upload_part(Bucket=self.bucket, Key="k", UploadId=upload, Body=b"other",
                                PartNumber=3, ChecksumSHA256=checksum("SHA256", b"not it"))
        answer = self.s3.complete_multipart_upload(
            Bucket=self.bucket, Key="k", UploadId=upload, MultipartUpload={"Parts": parts})
        digests = b"".join(hashlib.sha256(body).digest() for body in bodies)
        self.assertEqual(answer["ChecksumSHA256"], checksum("SHA256", digests) + "-2")

    def test_a_completion_with_a_checksum_of_another_algorithm_is_refused(self):
        upload = self.create(ChecksumAlgorithm="SHA256")
        part = {"PartNumber": 1, "ETag": self.part(upload, 1, b"x", ChecksumAlgorithm="SHA256")}
        with self.refused(400, "InvalidRequest"):
            self.s3.complete_multipart_upload(
                Bucket=self.bucket, Key="k", UploadId=upload, MultipartUpload={"Parts": [part]},
                ChecksumCRC32=checksum("CRC32", b"x"))
        self.assertEqual(self.keys(), [])
        self.complete(upload, [(1, part["ETag"])])

    def test_the_transfer_manager_uploads_in_parallel(self):
        body = ashlar.content(40 * MIB)
        config = boto3.s3.transfer.TransferConfig(multipart_threshold=PART_MIN,
                                                  multipart_chunksize=PART_MIN, max_concurrency=8)
        self.s3.upload_fileobj(io.BytesIO(body), self.bucket, "big", Config=config)
        self.assertTrue(self.head("big")["ETag"].endswith('-8"'))
        into = io.BytesIO()
        self.s3.download_fileobj(self.bucket, "big", into, Config=config)
        self.assertEqual(into.getvalue(), body)


if __name__ == "__main__":
    unittest.main()
