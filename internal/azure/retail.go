package azure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/sync/errgroup"

	"mngr/internal/prices"
)

const (
	// retailPath is where the Retail Prices API is below its host.
	retailPath = "/api/retail/prices"
	// publicRetail serves the prices of the public cloud alone, to anybody.
	publicRetail = "https://prices.azure.com" + retailPath

	// manyQueries is how many prices are asked for at a time.
	manyQueries = 6
	// mostPages bounds the answer for one item, which fits on one page.
	mostPages = 3
	// mostPriceBytes bounds a page: a thousand rows have about 700 KB.
	mostPriceBytes = 4 << 20
)

// retail asks the Retail Prices API. It carries no login.
type retail struct {
	endpoint string
	client   *http.Client
}

// ask returns the prices of items, USD an hour: nil for one that the API does not have. An
// item whose question failed is missing; err says why the first did.
func (r retail) ask(ctx context.Context, items []prices.Item, now time.Time) (found map[prices.Item]*float64, err error) {
	answers := make([]*float64, len(items))
	failures := make([]error, len(items))
	var g errgroup.Group
	g.SetLimit(manyQueries)
	for n, item := range items {
		g.Go(func() error {
			rows, err := r.rows(ctx, item)
			if err != nil {
				failures[n] = err
				return nil
			}
			if price, ok := item.Select(rows, now); ok {
				answers[n] = &price
			}
			return nil
		})
	}
	_ = g.Wait() // failures has them, item by item
	found = map[prices.Item]*float64{}
	for n, item := range items {
		if failures[n] == nil {
			found[item] = answers[n]
		} else if err == nil {
			err = fmt.Errorf("ask for the price of %s: %w", item, failures[n])
		}
	}
	return found, err
}

// rows reads the pages of an answer.
func (r retail) rows(ctx context.Context, item prices.Item) ([]prices.Row, error) {
	var all []prices.Row
	next := r.endpoint + "?" + item.Query().Encode()
	for range mostPages {
		page, err := r.page(ctx, next)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if page.Next == "" {
			return all, nil
		}
		if next, err = r.follow(page.Next); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// follow goes on at the same host only: an answer does not choose whom this machine asks.
func (r retail) follow(link string) (string, error) {
	here, err := url.Parse(r.endpoint)
	if err != nil {
		return "", err
	}
	there, err := here.Parse(link)
	if err != nil || there.Scheme != here.Scheme || there.Hostname() != here.Hostname() {
		return "", errors.New("the next page of prices is elsewhere")
	}
	return there.String(), nil
}

func (r retail) page(ctx context.Context, link string) (page prices.Page, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil {
		return page, err
	}
	answer, err := r.client.Do(request)
	if err != nil {
		return page, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return page, fmt.Errorf("status %d", answer.StatusCode)
	}
	return page, json.NewDecoder(io.LimitReader(answer.Body, mostPriceBytes)).Decode(&page)
}
