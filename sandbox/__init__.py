"""Local stand-ins for Big Cartel and the warehouse's FCP: two HTTP servers for demos, tests and benchmarks."""
