# Pipelines, substitutions, a background child that is waited for, and a coprocess.
coproc upper { while read -r line; do echo "${line^^}"; done; }
for i in {1..40}; do
	sum=$(seq "$i" 4000 | sha1sum | cut -c1-12)
	sleep 0.01 &
	echo "$sum" >&"${upper[1]}"
	read -r answer <&"${upper[0]}"
	wait $!
	echo "$i $? $answer"
done
