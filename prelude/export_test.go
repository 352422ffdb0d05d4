package prelude

// For tests: parts that have no use outside.
var (
	Segment       = segment
	MountsInParts = mounts
)
