// Package entra is the token service of the local Azure: OpenID discovery, the client
// credentials grant in its two versions and in that of ADFS, the directory of service
// principals, and the checking of tokens for ARM, Graph and IMDS. It has no users.
//
// internal/azlocal, its front door, graph and imds import it.
package entra
