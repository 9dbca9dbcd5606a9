//go:build race

package spawn_test

const raceBuild = true
