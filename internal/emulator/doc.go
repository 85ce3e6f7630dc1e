// Package emulator puts the emulated clouds together: for each cloud a group
// engine, its wire protocol behind the faults, and a listener; and one admin
// listener for all. The clouds run in this process and need nothing else.
package emulator
