let f = 1
