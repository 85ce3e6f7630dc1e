package kci

// The requests of the golden files, for the test against the emulator.
var (
	PlainSpec = plainSpec
	FullSpec  = fullSpec
)
