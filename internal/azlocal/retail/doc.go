// Package retail serves the Retail Prices API of a local Azure: its own list prices, in the
// form in which https://prices.azure.com/api/retail/prices has the real ones.
//
// Anybody may ask it, as there. Only internal/azlocal imports it.
package retail
