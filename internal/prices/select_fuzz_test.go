package prices

import (
	"encoding/json"
	"math"
	"testing"
)

// Whatever rows the API answers with, a price is that of one of them, in dollars, more than
// nothing and finite; the order of the rows does not matter.
func FuzzSelect(f *testing.F) {
	row := `{"currencyCode":"USD","retailPrice":0.096,"armRegionName":"eastus","meterName":"D2s v5","productName":"Virtual Machines Dsv5 Series","skuName":"D2s v5","serviceName":"Virtual Machines","unitOfMeasure":"1 Hour","type":"Consumption","armSkuName":"Standard_D2s_v5","effectiveStartDate":"2025-01-01T00:00:00Z"}`
	f.Add([]byte(`{"Items":[`+row+`],"NextPageLink":null}`), "eastus", "Standard_D2s_v5", 30)
	f.Add([]byte(`{"Items":[`+row+`,{"currencyCode":"USD","retailPrice":1e308,"unitOfMeasure":"1/Month"},null]}`), "eastus", "StandardSSD_LRS", 32767)
	f.Add([]byte(`{"Items":null}`), "", "'", -1)
	f.Fuzz(func(t *testing.T, said []byte, region, name string, gb int) {
		var page Page
		if json.Unmarshal(said, &page) != nil {
			return
		}
		items := []Item{MachineItem(region, name, false), MachineItem(region, name, true), AddressItem(region)}
		if disk, ok := DiskItem(region, name, gb); ok {
			items = append(items, disk)
		}
		back := make([]Row, len(page.Items))
		for i, r := range page.Items {
			back[len(back)-1-i] = r
		}
		for _, i := range items {
			price, ok := i.Select(page.Items, now)
			if again, same := i.Select(back, now); again != price || same != ok {
				t.Errorf("%s: %v in one order, %v in the other", i, price, again)
			}
			if !ok {
				if price != 0 {
					t.Errorf("%s has no price, which is %v", i, price)
				}
				continue
			}
			if !(price > 0) || math.IsInf(price, 0) {
				t.Errorf("%s costs %v", i, price)
			}
			found := false
			for _, r := range page.Items {
				found = found || r.Currency == "USD" && r.Type == "Consumption" && (r.Price == price || r.Price/730 == price)
			}
			if !found {
				t.Errorf("%s costs %v, which no row says", i, price)
			}
		}
	})
}
