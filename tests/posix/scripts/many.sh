mkdir d; cd d
for i in $(seq 1 500); do echo $i >f$i; done
test $(find . -type f | wc -l) = 500
test $(find . -name 'f*0' | xargs cat | wc -l) = 50
find . -name 'f1*' -exec mv {} {}.moved \;
test $(ls | grep -c moved) = 111
grep -l '^77$' * | grep -q f77
find . -type f -delete
cd ..; rmdir d
