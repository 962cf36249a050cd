diff -r --no-dereference -x pipe $TREE tree
test -p tree/a/pipe
