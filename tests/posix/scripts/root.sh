cd ..
mkdir new-bucket; touch new-bucket/f
ls -1 | tr '\n' ' ' | grep -q 'b new-bucket'
! rmdir new-bucket 2>/dev/null
rm new-bucket/f; rmdir new-bucket
! mkdir Not_A_Bucket 2>/dev/null
! touch f 2>/dev/null
! ln -s x y 2>/dev/null
mkdir other
! mv b other/ 2>/dev/null
! mv b c 2>/dev/null
echo 1 >b/f
! ln b/f other/f 2>/dev/null
mv b/f other/f; cat other/f; rm other/f; rmdir other
