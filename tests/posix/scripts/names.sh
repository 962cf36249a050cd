mkdir d e; echo 1 >f; echo 2 >g
mv f g; cat g; ls -1
mv g d; mv d e; find . | sort
mv e/d/g e; mv -T e/d ./x; mkdir y; mv -T x y; find . | sort
mkdir full; touch full/f; mkdir z; mv -T z full || echo failed
mv -T full/f y || echo failed
mv full full/inside || echo failed
rm full || echo failed
rmdir full/f || echo failed
rmdir nothing || echo failed
mv nothing y || echo failed
rm nothing || echo failed
mkdir y || echo failed
mkdir y/z/w || echo failed
touch 'a b' '*' '-x' 'ü' "$(printf '\377')"; ls -1 | od -c | tail -2
mkdir -p 1/2/3/4/5; touch 1/2/3/4/5/f; rm -r 1; ls
n=$(printf '%0255d' 0); touch $n
touch ${n}0 || echo 'too long'
ls | tail -1
ln -s "$(printf '%04095d' 0)" long || echo failed
readlink long | wc -c
rm -f long
