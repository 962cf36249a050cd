printf hello >f; printf ' world' >>f; cat f; stat -c %s f
dd if=/dev/zero of=f bs=1 seek=3 count=2 conv=notrunc status=none; od -c f
truncate -s 20 f; od -c f; truncate -s 4 f; od -c f; truncate -s 0 f; stat -c '%s %b' f
dd if=/dev/zero of=s bs=1M count=0 seek=1000 status=none; stat -c %s s
printf x | dd of=s bs=1 seek=500M conv=notrunc status=none
stat -c %s s; md5sum s
seq 1 100000 >n; wc n; md5sum n; tail -3 n
sed -i 's/99999/changed/' n; md5sum n
cp --sparse=always s t; cmp s t; cp --reflink=never n m; cmp n m; cp n n2; cmp n n2
split -b 100000 n part.; cat part.* | cmp - n; ls
head -c 3000000 /dev/urandom >r; cp r r2; cmp r r2
dd if=r of=r2 bs=4096 skip=10 seek=500 count=100 conv=notrunc status=none
dd if=r of=x bs=4096 skip=10 count=100 status=none
dd if=r2 bs=4096 skip=500 count=100 status=none | cmp - x
fallocate -l 100000 a; stat -c %s a
fallocate -p -o 1000 -l 5000 n; md5sum n
fallocate -z -o 20000 -l 5000 n; md5sum n
rm r r2 x
