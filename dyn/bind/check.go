package bind

import (
	"elfwright/dyn/load"
)

func checkVersions(p *load.Process) ([]VersionFault, error) { return nil, nil }
