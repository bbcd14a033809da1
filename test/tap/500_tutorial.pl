# doc/tutorial.md: every command runs, and prints what the tutorial shows.
use strict;
use warnings;
use DocumentTest;
use Test::More;

DocumentTest::check('doc/tutorial.md', 'shop');
done_testing();
