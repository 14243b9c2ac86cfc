// Package archtest holds the house's plan as a test: who may import whom, who may use
// which outside module, that every package says why it exists, and that no package is
// named after having no idea of its own. It has no code but tests; nobody imports it.
package archtest
