"""Stand-ins for Big Cartel and the warehouse's FCP: two HTTP servers to try, test and measure with."""
