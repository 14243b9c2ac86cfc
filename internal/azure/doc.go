// Package azure is the adapter to Azure Resource Manager: it makes, lists, starts,
// stops and destroys the virtual machines that hosts live on, and prepares and cleans
// up the resource group they live in.
//
// It is the only package that imports the Azure SDK. It knows neither SSH nor what
// runs inside a machine, and imports nothing of ours but agent, plain and atomicfile.
// Package cli makes a Provider and hands it to package fleet, which declares the
// interface.
package azure
