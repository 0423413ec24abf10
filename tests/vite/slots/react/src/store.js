import { useState } from 'react';

export const useUser = () => useState('ada')[0];
export const useCity = () => useState('graz')[0];
