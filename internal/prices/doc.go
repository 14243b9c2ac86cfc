// Package prices finds out of Azure's Retail Prices API what a machine, a disk or an address
// costs, and has a dated table of list prices for where the API does not say.
//
// It does no I/O: internal/azure asks the API and keeps its answers. The API is described at
// https://learn.microsoft.com/rest/api/cost-management/retail-prices/azure-retail-prices.
package prices
