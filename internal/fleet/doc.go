// Package fleet holds the use cases: create, list, connect, exec, stop, start and
// destroy. It declares the interfaces it needs and knows neither Azure nor SSH.
package fleet
