// Package arm is the protocol of Azure Resource Manager without any resource: resource
// ids, routes, requests, answers, error envelopes and the headers of every answer.
//
// It knows no state. The packages of internal/azlocal that serve HTTP import it.
package arm
