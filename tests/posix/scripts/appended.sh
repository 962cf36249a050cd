for p in 1 2; do
    (for i in $(seq 1 300); do echo "process $p line $i" >>log; done) &
done
wait
wc -l <log; sort log | md5sum; rm log
