"""HTTP on the wire: heads, bodies and answers of the connections that scripts are asked over."""
