# Hashes, regular expressions, sorting and closures; a line for each round.
use strict;
use warnings;
my ($state, %count) = (1);
for my $round (1 .. 60) {
	for (1 .. 800) {
		$state = ($state * 1103515245 + 12345) % 2147483648;
		my $word = join '', map { chr(97 + ($state >> $_) % 7) } 3, 9, 14, 20;
		$word =~ s/([aeiou])/<$1>/g;
		$count{$word}++;
	}
	my @top = (sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count)[0 .. 3];
	my $sum = 0;
	$sum = ($sum * 31 + length($_) * $count{$_}) % 1000003 for sort keys %count;
	print "$round @top $sum\n";
	$| = $round % 2;
}
