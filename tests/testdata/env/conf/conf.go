// Package conf looks at the command line before package mp is initialised.
package conf

import "os"

// Args is the command line as it was then.
var Args = append([]string(nil), os.Args...)
