umask 022
mkdir d; touch d/f; chmod 4711 d/f; chmod 2770 d; mkdir d/sub
stat -c '%n %A %u %g %h %F %s' d/f d/sub
chown 12:34 d/f; stat -c '%A %u %g' d/f
chmod u+s d/f; chown 13 d/f; stat -c '%A %u %g' d/f
ln d/f d/g; stat -c '%h' d/f d/g; rm d/f; stat -c '%h' d/g
ln -s d/g l; readlink l; stat -c '%F %s %A' l; cat l
ln -s nowhere dangling; cat dangling || echo failed
ln d e || echo failed
mkfifo p; mknod c c 1 3; mknod b b 7 9
stat -c '%n %F %t %T' p c b
chmod 000 d/g; stat -c %A d/g; rm -f d/g
rmdir d || echo 'not empty'
rmdir d/sub d
umask 077; mkdir m; touch m/f; stat -c '%A' m m/f
mkdir n; chmod g+s,o+t n; stat -c %A n
rm p c b dangling l
