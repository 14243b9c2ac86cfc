// Package azurecheck asks a real Azure, or the local one, the questions that nobody has
// answered about Azure, and lives one agent's life there with the built mngr.
//
// Only cmd/azure-check imports it. It imports nothing of ours: it speaks plain HTTPS to
// ARM, so that neither mngr's own client nor the local Azure can colour an answer.
package azurecheck
