. $SCRIPTS/tree.sh
describe() {
    cd "$1"
    find . -type f | sort | xargs md5sum
    find . -printf '%P %y %m %U %G %l\n' | sort
    find . ! -type d -printf '%P %s %T@\n' | sort
    find . -type f -printf '%P %n\n' | sort
}
cp -a $TREE one
rsync -aH $TREE/ two/
test -z "$(rsync -aHcn -i --delete $TREE/ two/)"
tar --format=posix -cf - -C $TREE . | (mkdir three; tar xpf - -C three)
tar --format=posix -cf - -C three . | (mkdir $TREE.back; tar xpf - -C $TREE.back)
(describe $TREE) >$TREE.wanted
for d in one two three $TREE.back; do
    (describe $d) >$TREE.list
    diff $TREE.wanted $TREE.list
done
rm -r one two three
