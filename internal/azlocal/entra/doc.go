// Package entra is the token service of the local Azure: OpenID discovery, the client
// credentials grant, and the checking of tokens for ARM and IMDS.
//
// internal/azlocal's front door and imds import it.
package entra
