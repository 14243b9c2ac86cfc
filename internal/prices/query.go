package prices

import (
	"net/url"
	"strings"
)

// version is the API's version from which on filters tell upper from lower case.
const version = "2023-01-01-preview"

// Query asks the API for the rows among which an item's price is: no more than a page.
func (i Item) Query() url.Values {
	terms := []string{eq("armRegionName", i.Region), eq("priceType", "Consumption")}
	switch i.Kind {
	case Machine, Spot:
		terms = append(terms, eq("serviceName", "Virtual Machines"), eq("armSkuName", i.Name))
	case Disk:
		terms = append(terms, eq("serviceName", "Storage"), eq("productName", i.product()), eq("meterName", i.meter()))
	case Address:
		terms = append(terms, eq("serviceName", "Virtual Network"), eq("meterName", i.meter()))
	}
	return url.Values{"api-version": {version}, "currencyCode": {"'USD'"}, "$filter": {strings.Join(terms, " and ")}}
}

// meter is the API's meterName; "" for machines, whose meters have names of their own.
func (i Item) meter() string {
	switch i.Kind {
	case Disk:
		return i.Name + " Disk"
	case Address:
		return "Standard IPv4 Static Public IP"
	}
	return ""
}

func eq(field, value string) string {
	return field + " eq '" + strings.ReplaceAll(value, "'", "''") + "'"
}
