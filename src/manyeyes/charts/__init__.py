"""Server-made SVG charts and the inert rendering of hostile text: plain values in, strings out."""
