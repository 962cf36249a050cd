# Small files, links and some larger ones, outside the mount, at $TREE.
mkdir -p $TREE/a/b/c $TREE/empty
(
    cd $TREE
    for i in $(seq 1 120); do head -c $((i * 37)) /dev/urandom >a/f$i; done
    head -c 5000000 /dev/urandom >a/b/large
    ln a/f1 a/b/hard; ln -s ../f2 a/b/c/soft
    mkfifo a/pipe
    chmod 640 a/f3
    touch -d '2011-12-13 14:15:16.5 UTC' a/f4
    truncate -s 3000000 a/sparse
    # Long ago: rsync takes times of links and pipes within the same second for equal.
    touch -h -d '2012-01-02 03:04:05.678901234 UTC' a/b/c/soft a/pipe
)
