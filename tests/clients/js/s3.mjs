// The JavaScript SDK with its defaults, which sends CRC32 trailers unasked. Prints "ok" at the end.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import * as s3 from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';

const [endpoint, Bucket] = process.argv.slice(2);
const client = new s3.S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true });
const send = (name, input) => client.send(new s3[`${name}Command`]({ Bucket, ...input }));
const read = async (Key, input = {}) =>
    Buffer.from(await (await send('GetObject', { Key, ...input })).Body.transformToByteArray());

// A body of known length, and a stream, which goes out in chunks with a trailer.
const put = await send('PutObject', { Key: 'a b/ü', Body: 'hello', Metadata: { m: '1' } });
assert.equal(put.ETag, `"${createHash('md5').update('hello').digest('hex')}"`);
assert.equal(put.ChecksumCRC32, 'NhCmhg==');
assert.equal((await read('a b/ü')).toString(), 'hello');
const big = Buffer.alloc(3_000_000, 'stream ');
await send('PutObject', { Key: 'stream', Body: Readable.from([big]), ContentLength: big.length });
assert.deepEqual(await read('stream'), big);
assert.deepEqual(await read('stream', { Range: 'bytes=1000000-1000009' }),
                 big.subarray(1000000, 1000010));

for (const ChecksumAlgorithm of ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256']) {
    const Key = `sum-${ChecksumAlgorithm}`;
    try {
        await send('PutObject', { Key, Body: big, ChecksumAlgorithm });
    } catch (error) {
        // The SDK computes this one only with an optional package.
        if (ChecksumAlgorithm === 'CRC64NVME' && /crt/i.test(error.message)) continue;
        throw error;
    }
    const head = await send('HeadObject', { Key, ChecksumMode: 'ENABLED' });
    assert.ok(head[`Checksum${ChecksumAlgorithm}`], ChecksumAlgorithm);
    assert.deepEqual(await read(Key), big);
}

const parts = Buffer.alloc(17 << 20, 'parts ');
const upload = new Upload({ client, params: { Bucket, Key: 'parts', Body: parts },
                            partSize: 5 << 20, queueSize: 4 });
assert.match((await upload.done()).ETag, /-4"$/);
assert.deepEqual(await read('parts'), parts);

await send('CopyObject', { Key: 'copy', CopySource: `${Bucket}/parts` });
assert.equal((await send('HeadObject', { Key: 'copy' })).ContentLength, parts.length);
const names = (await send('ListObjectsV2', { Delimiter: '/' }));
assert.deepEqual(names.CommonPrefixes.map((p) => p.Prefix), ['a b/']);
await assert.rejects(send('GetObject', { Key: 'absent' }), s3.NoSuchKey);
await assert.rejects(send('PutObject', { Key: 'copy', Body: 'x', IfNoneMatch: '*' }),
                     (error) => error.$metadata.httpStatusCode === 412);
const all = await send('ListObjectsV2', {});
const gone = await send('DeleteObjects',
                        { Delete: { Objects: all.Contents.map(({ Key }) => ({ Key })) } });
assert.equal(gone.Deleted.length, all.Contents.length);
assert.equal((await send('ListObjectsV2', {})).KeyCount, 0);
console.log('ok');
