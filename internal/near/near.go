// Package near finds, for a name that is not known, the known ones that were
// perhaps meant.
package near

// Limit is how many changes make a name of this length another one: a third of
// its bytes, and one more.
func Limit(name string) int { return 1 + (len(name)+2)/3 }

// Name returns the nearest of the names, and false where none is near.
func Name(name string, names []string) (string, bool) {
	best, nearest := Limit(name), ""
	for _, n := range names {
		if d := Distance(name, n); d < best {
			best, nearest = d, n
		}
	}
	return nearest, nearest != ""
}

// Distance is Levenshtein's: the insertions, deletions and changes of one byte
// that make b from a.
func Distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
