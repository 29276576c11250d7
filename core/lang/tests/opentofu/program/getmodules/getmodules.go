// Package getmodules stands in for the package of this name, which brings the clients of clouds and registries along:
// whoever evaluates expressions fetches no modules.
package getmodules

import "errors"

func SplitPackageSubdir(address string) (string, string) {
	return address, ""
}

func NormalizePackageAddress(string) (string, string, error) {
	return "", "", errors.New("modules are not fetched here")
}
