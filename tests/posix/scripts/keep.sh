. $SCRIPTS/tree.sh
cp -a $TREE tree
sync
