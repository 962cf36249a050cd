command -v sqlite3 >/dev/null || { echo 'no sqlite3'; exit 0; }
check() {
    test "$(sqlite3 $1 'pragma integrity_check')" = ok
    test "$(sqlite3 $1 'select count(*) from t')" = $2
}
for mode in delete wal; do
    sqlite3 $mode.db "pragma journal_mode=$mode;
        create table t(a integer primary key, b blob);
        with recursive c(i) as (select 1 union all select i+1 from c where i<5000)
        insert into t select i, randomblob(100) from c;"
    for i in 1 2 3; do
        (
            for k in $(seq 1 10); do
                sqlite3 -cmd '.timeout 60000' $mode.db \
                    "update t set b=randomblob(120) where a%17=$i"
            done
        ) &
    done
    wait
    check $mode.db 5000
    sqlite3 $mode.db 'delete from t where a%2; vacuum'
    check $mode.db 2500
done
