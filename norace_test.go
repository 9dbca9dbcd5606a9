//go:build !race

package mp_test

const procRace = false
