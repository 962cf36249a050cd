. $SCRIPTS/tree.sh
export GIT_CONFIG_NOSYSTEM=1 HOME=$TREE
git config --global user.email a@b
git config --global user.name n
git config --global --add safe.directory '*'
rm $TREE/a/pipe
git init -q $TREE.origin
cp -r $TREE/a $TREE.origin/tree
(cd $TREE.origin; git add .; git commit -qm first)
git clone -q $TREE.origin clone
cd clone
git fsck --full --strict
echo more >>tree/f1
git mv tree/f2 tree/moved
git commit -qam second
git checkout -qb other HEAD^
git checkout -q -
git gc -q
git fsck --full --strict
test -z "$(git status --short)"
cd ..
git clone -q clone again
git -C again fsck --full
