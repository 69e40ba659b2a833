// Package conformance holds the module against what is known of the service it replaces: recorded exchanges and API
// descriptions. It is a module of its own, so that nobody who imports the client gets what only its checks need.
//
// It has tests only; README.md says how to run them.
package conformance
