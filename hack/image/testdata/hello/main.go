// Command hello stands for cumulet in the tests of the image.
package main

import "fmt"

var version = "unset"

func main() { fmt.Println("hello", version) }
