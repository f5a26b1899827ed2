"""What invocations cost, and the budgets of scripts over time."""
