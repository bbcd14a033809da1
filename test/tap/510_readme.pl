# README.md: every command of the five minutes runs, and prints what is shown.
use strict;
use warnings;
use DocumentTest;
use Test::More;

DocumentTest::check('README.md', 'shop');
done_testing();
