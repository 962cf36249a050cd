"""Listings through boto3."""

import unittest

import ashlar

KEYS = sorted(["a", "a-b", "a/1", "a/2", "a/b/1", "a0", "b", "c/d/e", "c/d/f", "é/ü", "z z"],
              key=str.encode)


class Listing(ashlar.TestCase):
    def fill(self, keys=KEYS):
        for key in keys:
            self.put(key, key.encode())

    def v2(self, **options):
        return self.s3.list_objects_v2(Bucket=self.bucket, **options)

    @staticmethod
    def names(answer):
        return ([entry["Key"] for entry in answer.get("Contents", [])],
                [prefix["Prefix"] for prefix in answer.get("CommonPrefixes", [])])

    def test_keys_come_in_the_order_of_their_bytes(self):
        self.fill(["a/b", "a-b", "a0", "a", "B", "_", "a/", "ab"])
        expected = sorted(["a/b", "a-b", "a0", "a", "B", "_", "a/", "ab"])
        self.assertEqual(self.names(self.v2())[0], expected)
        self.assertEqual(self.names(self.s3.list_objects(Bucket=self.bucket))[0], expected)

    def test_entries_say_what_they_are(self):
        put = self.put("k", b"12345")
        entry = self.v2()["Contents"][0]
        self.assertEqual((entry["Size"], entry["ETag"], entry["StorageClass"]),
                         (5, put["ETag"], "STANDARD"))
        self.assertEqual(entry["LastModified"].replace(microsecond=0),
                         self.head("k")["LastModified"])
        self.assertNotIn("Owner", entry)
        self.assertIn("Owner", self.v2(FetchOwner=True)["Contents"][0])

    def test_prefixes_and_delimiters_group(self):
        self.fill()
        for prefix, keys, prefixes in (
            ("", ["a", "a-b", "a0", "b", "z z"], ["a/", "c/", "é/"]),
            ("a", ["a", "a-b", "a0"], ["a/"]),
            ("a/", ["a/1", "a/2"], ["a/b/"]),
            ("a/b", [], ["a/b/"]),
            ("c/", [], ["c/d/"]),
            ("c/d", [], ["c/d/"]),
            ("none", [], []),
        ):
            with self.subTest(prefix):
                self.assertEqual(self.names(self.v2(Prefix=prefix, Delimiter="/")),
                                 (keys, prefixes))
                old = self.s3.list_objects(Bucket=self.bucket, Prefix=prefix, Delimiter="/")
                self.assertEqual(self.names(old), (keys, prefixes))

    def test_any_text_can_be_a_delimiter(self):
        self.fill(["2021-01-a", "2021-01-b", "2021-02-a", "x/y--z", "x/y--w"])
        self.assertEqual(self.names(self.v2(Delimiter="-")), ([], ["2021-", "x/y-"]))
        self.assertEqual(self.names(self.v2(Prefix="2021-", Delimiter="-")),
                         ([], ["2021-01-", "2021-02-"]))
        self.assertEqual(self.names(self.v2(Prefix="x", Delimiter="--")), ([], ["x/y--"]))

    def test_pages_of_any_size_give_all_keys_once(self):
        self.fill()
        for delimiter in (None, "/"):
            extra = {"Delimiter": delimiter} if delimiter else {}
            whole = self.names(self.v2(**extra))
            for size in (1, 2, 3, 5):
                with self.subTest(delimiter=delimiter, size=size):
                    keys, prefixes, options = [], [], dict(extra, MaxKeys=size)
                    while True:
                        page = self.v2(**options)
                        got = self.names(page)
                        self.assertEqual(page["KeyCount"], len(got[0]) + len(got[1]))
                        self.assertLessEqual(page["KeyCount"], size)
                        keys += got[0]
                        prefixes += got[1]
                        if not page["IsTruncated"]:
                            break
                        options["ContinuationToken"] = page["NextContinuationToken"]
                    self.assertEqual((keys, prefixes), whole)

    def test_version_1_pages_by_marker(self):
        self.fill()
        keys, marker = [], ""
        while True:
            page = self.s3.list_objects(Bucket=self.bucket, MaxKeys=3, Marker=marker)
            keys += self.names(page)[0]
            if not page["IsTruncated"]:
                break
            marker = page.get("NextMarker") or keys[-1]
        self.assertEqual(keys, KEYS)
        keys, prefixes, marker = [], [], ""
        while True:
            page = self.s3.list_objects(Bucket=self.bucket, MaxKeys=2, Marker=marker,
                                        Delimiter="/")
            keys += self.names(page)[0]
            prefixes += self.names(page)[1]
            if not page["IsTruncated"]:
                break
            marker = page["NextMarker"]
        self.assertEqual((keys, prefixes), (["a", "a-b", "a0", "b", "z z"], ["a/", "c/", "é/"]))

    def test_start_after_need_not_exist(self):
        self.fill()
        self.assertEqual(self.names(self.v2(StartAfter="a/1"))[0], KEYS[KEYS.index("a/1") + 1:])
        self.assertEqual(self.names(self.v2(StartAfter="a/15"))[0], KEYS[KEYS.index("a/2"):])
        self.assertEqual(self.names(self.v2(StartAfter="zzz"))[0][0], "é/ü")

    def test_no_keys_wanted_gives_none(self):
        self.fill(["a"])
        page = self.v2(MaxKeys=0)
        self.assertEqual((page["KeyCount"], page["IsTruncated"]), (0, False))

    def test_a_bad_token_is_refused(self):
        with self.refused(400, "InvalidArgument"):
            self.v2(ContinuationToken="nonsense")

    def test_a_thousand_is_the_largest_page(self):
        client = self.server.s3()
        for n in range(1010):
            client.put_object(Bucket=self.bucket, Key=f"{n:05d}", Body=b"")
        page = self.v2(MaxKeys=5000)
        self.assertEqual((page["KeyCount"], page["IsTruncated"]), (1000, True))

    def test_url_encoding_brings_back_exact_bytes(self):
        keys = ["a b", "a+b", "a%b", "é", "x\ty", "<&>", "x\x01y"]
        self.fill(keys)
        # boto3 asks for url encoding and decodes it.
        self.assertEqual(sorted(self.keys(), key=str.encode), sorted(keys, key=str.encode))
        self.assertEqual(self.v2(Prefix="a+")["Contents"][0]["Key"], "a+b")

    def test_object_versions_lists_each_key_as_null(self):
        self.fill(["a", "b/c"])
        answer = self.s3.list_object_versions(Bucket=self.bucket)
        self.assertEqual([(v["Key"], v["VersionId"], v["IsLatest"]) for v in answer["Versions"]],
                         [("a", "null", True), ("b/c", "null", True)])
        grouped = self.s3.list_object_versions(Bucket=self.bucket, Delimiter="/")
        self.assertEqual([v["Key"] for v in grouped["Versions"]], ["a"])
        self.assertEqual([p["Prefix"] for p in grouped["CommonPrefixes"]], ["b/"])

    def test_what_was_deleted_is_not_listed(self):
        self.fill()
        for key in KEYS[::2]:
            self.s3.delete_object(Bucket=self.bucket, Key=key)
        self.assertEqual(self.names(self.v2())[0], KEYS[1::2])
        for key in KEYS[1::2]:
            self.s3.delete_object(Bucket=self.bucket, Key=key)
        self.assertEqual(self.names(self.v2(Delimiter="/")), ([], []))
        self.s3.delete_bucket(Bucket=self.bucket)


if __name__ == "__main__":
    unittest.main()
