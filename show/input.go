package show

// member says which member of which archive a file is.
type member struct {
	archive, name string
	offset        int64 // of the member's header in the archive
}
