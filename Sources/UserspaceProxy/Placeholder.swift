// UserspaceProxy
