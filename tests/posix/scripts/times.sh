touch -d '2001-02-03 04:05:06.789 UTC' f; stat -c '%y' f; stat -c '%Y %X' f
touch -d '1950-01-01 00:00:00.5 UTC' g; stat -c '%y' g
touch -r f h; stat -c '%y' h
mkdir d; touch -d @12345 d; stat -c %Y d
echo x >>f; test $(stat -c %Y f) -gt 1000000000 && echo moved
before=$(stat -c %Z g); chmod 600 g; test $(stat -c %Z g) -ge $before && echo ctime
touch -d @12345 d; touch d/x; test $(stat -c %Y d) -gt 12345 && echo parent moved
touch -d @12345 d; rm d/x; test $(stat -c %Y d) -gt 12345 && echo parent moved
cp -p f k; stat -c '%y' k f | uniq | wc -l
touch -d @777 f; cat f; stat -c %Y f
rm k f g h; rmdir d
